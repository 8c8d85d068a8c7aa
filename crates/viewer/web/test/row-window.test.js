import assert from "node:assert/strict";
import test from "node:test";

import { rowOfKey, rowWindow, scrollToRow } from "../model/row-window.js";

test("the rows in sight and a margin of ten", () => {
  for (const [
    top,
    bottom,
    count,
    expected,
    reason,
  ] of /** @type {[number, number, number, [number, number], string][]} */ ([
    [0, 400, 5000, [0, 20], "at the top"],
    [40_000, 40_400, 5000, [990, 1020], "in the middle"],
    [199_600, 200_000, 5000, [4980, 5000], "at the end"],
    [-300, 100, 5000, [0, 13], "below what is above the list"],
    [-900, -500, 5000, [0, 0], "far above it"],
    [0, 400, 3, [0, 3], "few rows"],
    [0, 400, 0, [0, 0], "none"],
  ])) {
    const { from, to } = rowWindow({ top, bottom }, count, 40);
    assert.deepEqual([from, to], expected, reason);
  }
});

test("a row is scrolled to if it is not in sight", () => {
  const sight = { top: 400, bottom: 800 };
  for (const [
    index,
    expected,
    reason,
  ] of /** @type {[number, number, string][]} */ ([
    [10, 0, "the first in sight"],
    [19, 0, "the last in sight"],
    [9, -40, "just above"],
    [20, 40, "just below"],
    [0, -400, "the first of all"],
  ]))
    assert.equal(scrollToRow(sight, index, 40), expected, reason);
  assert.equal(scrollToRow({ top: 0, bottom: 20 }, 1, 40), 40, "a low window");
});

test("keys lead through all rows, elements or not", () => {
  for (const [
    key,
    current,
    expected,
    reason,
  ] of /** @type {[string, number, number | null, string][]} */ ([
    ["j", -1, 0, "the first without one"],
    ["ArrowDown", 7, 8, "down"],
    ["ArrowUp", 0, 0, "not beyond the first"],
    ["j", 99, 99, "not beyond the last"],
    ["PageDown", 5, 14, "a page, but for one row"],
    ["PageUp", 5, 0, "a page up"],
    ["Home", 50, 0, "the first"],
    ["End", 50, 99, "the last"],
    ["x", 50, null, "another key"],
    ["constructor", 50, null, "another word"],
  ]))
    assert.equal(rowOfKey(key, current, 100, 10), expected, reason);
  assert.equal(rowOfKey("End", -1, 0, 10), -1, "an empty list");
});
