import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { Feed, SILENCE, fingerprint } from "../model/feed.js";

/** @typedef {import("../types.d.ts").StoreCounts} StoreCounts */

const STEP = 500;

/** A stream whose events a test chooses. */
class FakeStream {
  OPEN = 1;
  CLOSED = 2;
  readyState = 0;
  /** @type {(() => void) | null} */
  onopen = null;
  /** @type {((event: any) => void) | null} */
  onmessage = null;
  /** @type {(() => void) | null} */
  onerror = null;
  /** @type {() => void} */
  heartbeat = () => {};

  /** @param {string} name @param {() => void} listener */
  addEventListener(name, listener) {
    assert.equal(name, "heartbeat");
    this.heartbeat = listener;
  }
  close() {
    this.readyState = this.CLOSED;
  }
  open() {
    this.readyState = this.OPEN;
    this.onopen?.();
  }
  /** @param {StoreCounts} counts */
  say(counts) {
    this.onmessage?.({ data: JSON.stringify(counts) });
  }
  /** @param {number} readyState */
  fail(readyState) {
    this.readyState = readyState;
    this.onerror?.();
  }
}

/** @returns {StoreCounts} */
function counts(changed = 0) {
  const [traces, spans, bytes, turned_away] = [1, 1, 1, 0];
  return { changed, traces, spans, bytes, turned_away, since: "0" };
}

function feed() {
  const world = {
    /** @type {FakeStream[]} */
    streams: [],
    /** @type {unknown[]} */
    heard: [],
    asked: 0,
    isGone: false,
    last() {
      return world.streams[world.streams.length - 1];
    },
  };
  const it = new Feed({
    openStream() {
      const stream = new FakeStream();
      world.streams.push(stream);
      return /** @type {any} */ (stream);
    },
    async getCounts() {
      world.asked++;
      if (world.isGone) throw new Error("gone");
      return counts(100 + world.asked);
    },
    onCounts: ({ changed }) => world.heard.push(changed),
    onFailure: (error) => world.heard.push(error),
  });
  it.start();
  return { it, world };
}

/** Lets time pass, and what waits for a response go on. @param {number} time */
async function pass(time) {
  for (let left = time; left >= 0; left -= STEP) {
    mock.timers.tick(Math.min(left, STEP));
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
  }
}

beforeEach(() => mock.timers.enable({ apis: ["setTimeout"] }));
afterEach(() => mock.timers.reset());

test("asks nothing while the stream is open", async () => {
  const { it, world } = feed();
  world.last().open();
  world.last().say(counts(1));
  world.last().say(counts(2));
  await pass(SILENCE - 1);
  assert.deepEqual(world.heard, [1, 2]);
  assert.equal(world.asked, 0);
  it.stop();
});

test("asks while the stream does not open, and until it does", async () => {
  const { world } = feed();
  await pass(1000);
  await pass(1000);
  assert.deepEqual(world.heard, [101, 102]);
  world.last().open();
  await pass(10000);
  assert.equal(world.asked, 2);
});

test("a stream that ends is opened by the browser, and meanwhile it asks", async () => {
  const { world } = feed();
  world.last().open();
  world.last().fail(0);
  await pass(0);
  assert.deepEqual(world.heard, [101]);
  world.last().open();
  await pass(30000);
  assert.equal(world.streams.length, 1);
  assert.equal(world.asked, 1);
});

test("a refused stream is tried again, later each time", async () => {
  const { world } = feed();
  let waited = 0;
  for (const wait of [2000, 4000, 8000, 16000, 32000, 60000, 60000]) {
    const before = world.streams.length;
    world.last().fail(2);
    await pass(wait - 1);
    assert.equal(world.streams.length, before, `${wait}`);
    await pass(1);
    assert.equal(world.streams.length, before + 1, `${wait}`);
    waited += wait;
  }
  assert.ok(world.asked > 7 && world.asked <= waited / 1000 + 8, "polls");
  world.last().open();
  const asked = world.asked;
  await pass(20000);
  assert.equal(world.asked, asked, "it streams again");
});

test("says that the server is gone, and that it is back", async () => {
  const { world } = feed();
  world.isGone = true;
  world.last().fail(2);
  await pass(0);
  assert.match(String(world.heard.at(-1)), /gone/);
  world.isGone = false;
  await pass(3000);
  assert.equal(typeof world.heard.at(-1), "number");
});

test("a connection on which nothing comes is given up", async () => {
  const { world } = feed();
  world.last().open();
  await pass(SILENCE - 1);
  world.last().heartbeat();
  await pass(SILENCE - 1);
  assert.equal(world.asked, 0);
  const [first] = world.streams;
  await pass(1);
  assert.equal(world.asked, 1);
  assert.equal(first.readyState, first.CLOSED);
  await pass(2000);
  assert.equal(world.streams.length, 2);
});

test("a feed that is stopped neither asks nor says anything", async () => {
  const { it, world } = feed();
  world.last().fail(0);
  it.stop();
  await pass(100000);
  assert.equal(world.last().readyState, world.last().CLOSED);
  assert.deepEqual(world.heard, []);
  assert.equal(world.streams.length, 1);
});

test("counts that look the same are the same", () => {
  assert.equal(fingerprint(counts(1)), fingerprint({ ...counts(1) }));
  assert.notEqual(fingerprint(counts(1)), fingerprint(counts(2)));
  const deleted = { ...counts(1), traces: 0 };
  assert.notEqual(fingerprint(counts(1)), fingerprint(deleted));
});
