import assert from "node:assert/strict";
import test from "node:test";

import {
  ROW_HEIGHT,
  eventPosition,
  indentStep,
  labelPosition,
  linkCurve,
  percentOf,
  rowsToDraw,
  scrollToRow,
  segment,
  segments,
} from "../model/geometry.js";

const ALL = { from: 0, to: 200 };
const MIDDLE = { from: 50, to: 150 };

test("times are percentages of the window", () => {
  for (const [
    ns,
    window,
    expected,
    reason,
  ] of /** @type {[number, { from: number, to: number }, number, string][]} */ ([
    [50, ALL, 25, "a quarter"],
    [75, MIDDLE, 25, "a quarter of a part"],
    [0, { from: 0, to: 0 }, 0, "a trace without duration"],
    [-20, ALL, -10, "before the trace, as clocks may say"],
  ])) {
    assert.equal(percentOf(ns, window), expected, reason);
  }
});

test("a piece of time is cut where the window ends", () => {
  for (const [
    from,
    to,
    window,
    expected,
    reason,
  ] of /** @type {[number, number, { from: number, to: number }, object | null, string][]} */ ([
    [20, 50, ALL, { left: 10, width: 15 }, "all of it"],
    [0, 100, MIDDLE, { left: 0, width: 50 }, "its end"],
    [100, 200, MIDDLE, { left: 50, width: 50 }, "its start"],
    [0, 200, MIDDLE, { left: 0, width: 100 }, "its middle"],
    [0, 40, MIDDLE, null, "too early"],
    [160, 200, MIDDLE, null, "too late"],
    [200, 200, ALL, { left: 100, width: 0 }, "no time at the end"],
  ])) {
    assert.deepEqual(segment(from, to, window), expected, reason);
  }
});

test("an event stays within the trace, and goes with the window", () => {
  for (const [
    offset,
    window,
    expected,
  ] of /** @type {[number, { from: number, to: number }, number | null][]} */ ([
    [-5, ALL, 0],
    [100, ALL, 50],
    [220, ALL, 100],
    [100, MIDDLE, 50],
    [10, MIDDLE, null],
    [220, MIDDLE, null],
  ])) {
    assert.equal(eventPosition(offset, window, 200), expected);
  }
});

test("a duration stands behind its bar, or points to it", () => {
  for (const [
    offset,
    duration,
    expected,
    reason,
  ] of /** @type {[number, number, object, string][]} */ ([
    [60, 40, { percent: 50, arrow: "" }, "behind"],
    [60, 140, { percent: 100, arrow: "" }, "it ends later"],
    [0, 10, { percent: 0, arrow: "◂" }, "to the left"],
    [160, 10, { percent: 100, arrow: "▸" }, "to the right"],
  ])) {
    const span = { offset_ns: offset, duration_ns: duration };
    assert.deepEqual(labelPosition(span, MIDDLE), expected, reason);
  }
});

test("a deep tree is indented less", () => {
  for (const [
    depth,
    width,
    expected,
    reason,
  ] of /** @type {[number, number, number, string][]} */ ([
    [0, 400, 14, "roots only"],
    [5, 400, 14, "not deep"],
    [100, 400, 1.6, "deep"],
    [10000, 400, 0.016, "very deep"],
  ])) {
    assert.equal(indentStep(depth, width), expected, reason);
  }
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
    [66 + 100 * ROW_HEIGHT, 5000, { first: 88, end: 122 }, "the middle"],
    [66 + 4995 * ROW_HEIGHT, 5000, { first: 4983, end: 5000 }, "the end"],
  ])) {
    assert.deepEqual(
      rowsToDraw({ scrollTop, height: 10 * ROW_HEIGHT }, count),
      expected,
      reason,
    );
  }
});

test("pieces that can't be told apart are one", () => {
  for (const [
    pieces,
    window,
    expected,
    reason,
  ] of /** @type {[[number, number][], typeof ALL, [number, number][], string][]} */ ([
    [
      [
        [0, 20],
        [20, 40],
      ],
      ALL,
      [[0, 20]],
      "one follows the other",
    ],
    [
      [
        [0, 20],
        [21, 40],
        [60, 80],
      ],
      ALL,
      [
        [0, 20],
        [30, 10],
      ],
      "a gap of half a percent is not seen",
    ],
    [[[0, 40]], MIDDLE, [], "out of the window"],
    [[[0, 100]], MIDDLE, [[0, 50]], "the part in the window"],
  ])) {
    const found = segments(pieces, window, 1);
    assert.deepEqual(
      found.map(({ left, width }) => [left, width]),
      expected,
      reason,
    );
  }
});

test("scrolls no further than a row needs", () => {
  const height = 74 + 10 * ROW_HEIGHT;
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
  ] of /** @type {[{ y: number, percent: number }, { y: number, percent: number }, string, string][]} */ ([
    [
      { y: 14, percent: 50 },
      { y: 70, percent: 75 },
      "M200 14C178 14 178 70 249 70",
      "to a later span",
    ],
    [
      { y: 42, percent: 0 },
      { y: 14, percent: 0 },
      "M100 42C98 42 98 14 99 14",
      "at the edge",
    ],
    [
      { y: 42, percent: -500 },
      { y: 14, percent: 700 },
      "M100 42C98 42 98 14 299 14",
      "out of the window",
    ],
  ])) {
    assert.equal(linkCurve(from, to, track), expected, reason);
  }
});
