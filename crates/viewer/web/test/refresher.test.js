import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { Refresher } from "../model/refresher.js";

const PAUSE = 200;

/** A view whose updates end when a test says so. */
function view() {
  const world = {
    updates: 0,
    /** @type {(hasWorked: boolean) => void} */
    end: () => {},
  };
  const refresher = new Refresher(() => {
    world.updates++;
    return new Promise((resolve) => (world.end = resolve));
  }, PAUSE);
  return { world, refresher };
}

async function settle() {
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
}

/** @param {number} time */
async function pass(time) {
  mock.timers.tick(time);
  await settle();
}

beforeEach(() => mock.timers.enable({ apis: ["setTimeout"] }));
afterEach(() => mock.timers.reset());

test("updates at once, and then once for all that changes in the pause", async () => {
  const { world, refresher } = view();
  refresher.request();
  assert.equal(world.updates, 1);
  world.end(true);
  await settle();
  for (let change = 0; change < 5; change++) refresher.request();
  await pass(PAUSE - 1);
  assert.equal(world.updates, 1);
  await pass(1);
  assert.equal(world.updates, 2);
});

test("what changes during an update is not lost, and no two run at a time", async () => {
  const { world, refresher } = view();
  refresher.request();
  refresher.request();
  await pass(10 * PAUSE);
  assert.equal(world.updates, 1);
  world.end(true);
  await settle();
  await pass(PAUSE);
  assert.equal(world.updates, 2);
  world.end(true);
  await settle();
  await pass(10 * PAUSE);
  assert.equal(world.updates, 2, "nothing has changed since");
});

test("tries again after a failure, later each time", async () => {
  const { world, refresher } = view();
  refresher.request();
  for (const wait of [1000, 2000, 4000, 8000, 15000, 15000]) {
    world.end(false);
    await settle();
    const before = world.updates;
    await pass(wait - 1);
    assert.equal(world.updates, before, `${wait}`);
    await pass(1);
    assert.equal(world.updates, before + 1, `${wait}`);
  }
  world.end(true);
  await settle();
  await pass(60000);
  assert.equal(world.updates, 7);
});

test("a change brings the next try forward, however often it is said", async () => {
  const { world, refresher } = view();
  refresher.request();
  for (const wait of [1000, 2000, 4000]) {
    world.end(false);
    await settle();
    await pass(wait);
  }
  world.end(false);
  await settle();
  const before = world.updates;
  refresher.request();
  await pass(500);
  refresher.request();
  assert.equal(world.updates, before);
  await pass(500);
  assert.equal(world.updates, before + 1);
});

test("a view that is gone is not updated", async () => {
  const { world, refresher } = view();
  refresher.request();
  world.end(true);
  await settle();
  refresher.request();
  refresher.stop();
  await pass(PAUSE);
  refresher.request();
  assert.equal(world.updates, 1);
});
