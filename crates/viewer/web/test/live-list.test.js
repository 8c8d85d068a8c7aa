import assert from "node:assert/strict";
import test from "node:test";

import { LiveList, nextSort } from "../model/live-list.js";

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
    status: "200",
    root_error: false,
    error_service: null,
    more_services: 0,
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

test("durations are at least a nanosecond", () => {
  const list = new LiveList();
  assert.deepEqual(list.durations(), { min: 1, max: 1 });
  list.append(summary(1, 7));
  list.append(summary(2, 3));
  assert.deepEqual(list.durations(), { min: 3, max: 7 });
});

test("rows are sorted by a column, and otherwise the newest come first", () => {
  const list = new LiveList();
  for (const [id, duration] of [
    [1, 7],
    [3, 5],
    [2, 9],
  ])
    list.append(summary(id, duration));
  for (const [
    sort,
    expected,
    reason,
  ] of /** @type {[string, number[], string][]} */ ([
    ["", [3, 2, 1], "the newest first"],
    ["duration", [3, 1, 2], "ascending"],
    ["-duration", [2, 1, 3], "descending"],
    ["-errors", [3, 2, 1], "equal rows stay as they are"],
    ["status", [3, 2, 1], "neither has an error"],
    ["colour", [3, 2, 1], "an unknown column"],
  ])) {
    assert.deepEqual(
      list.sorted(sort).map((one) => one.id),
      expected,
      reason,
    );
  }
});

test("starts are compared as numbers, however long they are", () => {
  const list = new LiveList();
  for (const [id, start] of /** @type {[number, string][]} */ ([
    [1, "999"],
    [2, "1795386253194258246"],
    [3, "1795386253194258245"],
  ]))
    list.append({ ...summary(id), start_ns: start });
  assert.deepEqual(
    list.sorted("start").map((one) => one.id),
    [1, 3, 2],
  );
});

test("pressing a column sorts, turns round, and ends", () => {
  assert.equal(nextSort("", "duration"), "-duration");
  assert.equal(nextSort("-duration", "duration"), "duration");
  assert.equal(nextSort("duration", "duration"), "");
  assert.equal(nextSort("-duration", "name"), "name");
  assert.equal(nextSort("name", "name"), "-name");
});
