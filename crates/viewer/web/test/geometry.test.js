import assert from "node:assert/strict";
import test from "node:test";

import {
  ROW_HEIGHT,
  eventPosition,
  labelPosition,
  linkCurve,
  percentOf,
  rowsToDraw,
  rulerTicks,
  scrollToRow,
  segment,
} from "../model/geometry.js";

test("times are percentages of the trace", () => {
  for (const [
    ns,
    total,
    expected,
    reason,
  ] of /** @type {[number, number, number, string][]} */ ([
    [50, 200, 25, "a quarter"],
    [0, 0, 0, "a trace without duration"],
    [-10, 100, -10, "before the trace, as clocks may say"],
  ])) {
    assert.equal(percentOf(ns, total), expected, reason);
  }
});

test("a segment of the critical path has a start and a width", () => {
  assert.deepEqual(segment(20, 50, 200), { left: 10, width: 15 });
});

test("an event stays within the track", () => {
  for (const [offset, expected] of [
    [-5, 0],
    [50, 50],
    [120, 100],
  ]) {
    assert.equal(eventPosition(offset, 100), expected);
  }
});

test("a duration stands behind its bar, before it, or inside", () => {
  for (const [
    offset,
    duration,
    expected,
    reason,
  ] of /** @type {[number, number, object, string][]} */ ([
    [10, 40, { side: "left", percent: 50, isInside: false }, "room behind"],
    [40, 60, { side: "right", percent: 60, isInside: false }, "room before"],
    [
      0,
      100,
      { side: "right", percent: 0, isInside: true },
      "room nowhere else",
    ],
    [
      20,
      60,
      { side: "right", percent: 20, isInside: true },
      "little room on both sides",
    ],
  ])) {
    assert.deepEqual(
      labelPosition({ offset_ns: offset, duration_ns: duration }, 100),
      expected,
      reason,
    );
  }
});

test("the ruler has quarters", () => {
  assert.deepEqual(rulerTicks(1001), [
    { percent: 0, ns: 0 },
    { percent: 25, ns: 250 },
    { percent: 50, ns: 501 },
    { percent: 75, ns: 751 },
    { percent: 100, ns: 1001 },
  ]);
});

test("draws the rows in sight and some beyond", () => {
  for (const [
    scrollTop,
    count,
    expected,
    reason,
  ] of /** @type {[number, number, object, string][]} */ ([
    [0, 5, { first: 0, end: 5 }, "few rows"],
    [0, 5000, { first: 0, end: 22 }, "the top"],
    [32 + 100 * ROW_HEIGHT, 5000, { first: 88, end: 122 }, "the middle"],
    [32 + 4995 * ROW_HEIGHT, 5000, { first: 4983, end: 5000 }, "the end"],
  ])) {
    assert.deepEqual(
      rowsToDraw({ scrollTop, height: 10 * ROW_HEIGHT }, count),
      expected,
      reason,
    );
  }
});

test("scrolls no further than a row needs", () => {
  const height = 40 + 10 * ROW_HEIGHT;
  for (const [
    row,
    scrollTop,
    expected,
    reason,
  ] of /** @type {[number, number, number, string][]} */ ([
    [5, 0, 0, "in sight"],
    [10, 0, 2 * ROW_HEIGHT, "below, with a row to spare"],
    [5, 10 * ROW_HEIGHT, 4 * ROW_HEIGHT, "above, with a row to spare"],
    [0, 10 * ROW_HEIGHT, 0, "the first row"],
  ])) {
    assert.equal(scrollToRow(row, { scrollTop, height }), expected, reason);
  }
});

test("a link bends to the left of both ends, but not out of the track", () => {
  const track = { left: 100, width: 200 };
  for (const [
    from,
    to,
    expected,
    reason,
  ] of /** @type {[{ row: number, percent: number }, { row: number, percent: number }, string, string][]} */ ([
    [
      { row: 0, percent: 50 },
      { row: 2, percent: 75 },
      "M200 14C178 14 178 70 249 70",
      "to a later span",
    ],
    [
      { row: 1, percent: 0 },
      { row: 0, percent: 0 },
      "M100 42C98 42 98 14 99 14",
      "at the edge",
    ],
  ])) {
    assert.equal(linkCurve(from, to, track), expected, reason);
  }
});
