import assert from "node:assert/strict";
import test from "node:test";

import { LiveList } from "../model/live-list.js";

/** @returns {import("../types.d.ts").TraceSummary} */
function summary(id = 1, duration = 0) {
  return {
    id,
    changed: id,
    trace_id: String(id),
    service: "shop",
    name: "buy",
    rooted: true,
    start_ns: "0",
    duration_ns: duration,
    spans: 1,
    errors: 0,
    pinned: false,
    incomplete: null,
    services: [],
  };
}

/** A list that shows a page with the traces 5, 4 and 3. */
function page() {
  const list = new LiveList();
  for (const id of [5, 4, 3]) list.append(summary(id));
  list.before = 3;
  return list;
}

test("a page's rows are added once", () => {
  const list = page();
  assert.equal(list.append(summary(4)), false);
  assert.equal(list.append(summary(2)), true);
  assert.deepEqual([...list.shown.keys()], [5, 4, 3, 2]);
});

test("a trace that changes is updated, pending or ignored", () => {
  const list = page();
  for (const [
    id,
    expected,
    reason,
  ] of /** @type {[number, string, string][]} */ ([
    [4, "updated", "it has a row"],
    [6, "pending", "it is newer than the page"],
    [6, "pending", "it is pending already"],
    [2, "ignored", "it belongs to an older page"],
  ])) {
    assert.equal(list.receive(summary(id)), expected, reason);
  }
  assert.deepEqual([...list.pending.keys()], [6]);
});

test("pending traces come in order of arrival, and the oldest rows make room", () => {
  const list = page();
  for (const id of [8, 6, 7]) list.receive(summary(id));
  const { added, removed } = list.takePending(4);
  assert.deepEqual(
    added.map((one) => one.id),
    [6, 7, 8],
  );
  assert.deepEqual(removed, [3, 4]);
  assert.equal(list.before, 5, "the next page begins with what was removed");
  assert.equal(list.pending.size, 0);
});

test("what the store has dropped goes, unless it is kept", () => {
  const list = page();
  list.receive(summary(6));
  assert.deepEqual(list.evict(7, new Set([4])), [5, 3]);
  assert.deepEqual([...list.shown.keys()], [4]);
  assert.equal(list.pending.size, 0);
});

test("clearing forgets the rows", () => {
  const list = page();
  list.receive(summary(6));
  list.clear();
  assert.deepEqual([list.shown.size, list.pending.size], [0, 0]);
});

test("the longest duration is at least a nanosecond", () => {
  const list = new LiveList();
  assert.equal(list.longest(), 1);
  list.append(summary(1, 7));
  list.append(summary(2, 3));
  assert.equal(list.longest(), 7);
});
