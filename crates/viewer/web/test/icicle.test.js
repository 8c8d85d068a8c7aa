import assert from "node:assert/strict";
import test from "node:test";

import { boxesOf, icicle, windowOf } from "../model/icicle.js";
import { endOf } from "../model/subtree.js";
import { span, tree } from "./spans.js";

/** @typedef {import('./spans.js').Branch} Branch */

/**
 * A span from one time to another.
 * @param {number} from
 * @param {number} to
 * @param {Branch[]} below
 * @returns {Branch}
 */
function during(from, to, ...below) {
  return { offset_ns: from, duration_ns: to - from, below };
}

/** The lanes of trees, in reading order. @param {Branch[]} roots */
function lanesOf(...roots) {
  const spans = tree(...roots);
  const layout = icicle(spans, [...spans.keys()]);
  return spans.map((_, index) => layout.laneOf.get(index));
}

test("children are below their parent, and in one lane if they take turns", () => {
  for (const [
    roots,
    expected,
    reason,
  ] of /** @type {[Branch[], number[], string][]} */ ([
    [[during(0, 9)], [0], "a root"],
    [
      [during(0, 9, during(0, 4), during(4, 9))],
      [0, 1, 1],
      "one after the other",
    ],
    [[during(0, 9, during(0, 5), during(4, 9))], [0, 1, 2], "at the same time"],
    [
      [during(0, 9, during(0, 5, during(1, 2)), during(4, 9, during(5, 6)))],
      [0, 1, 2, 3, 4],
      "the second is below all of the first",
    ],
    [
      [during(0, 9, during(0, 3, during(1, 7)), during(4, 9))],
      [0, 1, 2, 3],
      "a child that outlives its parent is in nobody's way",
    ],
    [
      [during(0, 9, during(0, 5), during(4, 6), during(6, 9))],
      [0, 1, 2, 1],
      "a lane is used again",
    ],
    [[during(0, 4), during(5, 9)], [0, 0], "two roots"],
    [
      [during(0, 9, during(4, 4), during(4, 4))],
      [0, 1, 2],
      "without a duration",
    ],
    [
      [during(5, 9, during(1, 3))],
      [0, 1],
      "before its parent, as clocks may say",
    ],
  ]))
    assert.deepEqual(lanesOf(...roots), expected, reason);
});

test("no box hides another, however spans overlap", () => {
  let seed = 7;
  const random = (/** @type {number} */ most) =>
    (seed = (seed * 48271) % 2147483647) % most;
  /** @param {number} depth @returns {Branch} */
  const grow = (depth) => {
    const from = random(100);
    const below = Array.from({ length: depth > 0 ? random(5) : 0 }, () =>
      grow(depth - 1),
    );
    return during(from, from + random(60), ...below);
  };
  const spans = tree(grow(5), grow(5), grow(5));
  const { lanes, laneOf } = icicle(spans, [...spans.keys()]);
  assert.equal(laneOf.size, spans.length);
  for (const lane of lanes)
    lane.reduce((before, index) => {
      const { offset_ns: from, duration_ns: duration } = spans[index];
      assert.ok(from >= before, `${index} begins before ${before}`);
      return from + duration;
    }, 0);
});

test("only the spans that are shown have a lane", () => {
  const spans = tree(during(0, 9, during(0, 5, during(0, 3)), during(2, 9)));
  const { laneOf } = icicle(spans, [0, 1, 3]);
  assert.deepEqual(
    [...laneOf],
    [
      [0, 0],
      [1, 1],
      [3, 2],
    ],
  );
});

/** Spans one after the other, each so long. @param {number[]} durations */
function row(...durations) {
  let at = 0;
  return durations.map((duration_ns, index) => {
    const one = span({ id: String(index), offset_ns: at, duration_ns });
    at += duration_ns;
    return one;
  });
}

/** @param {import('../types.d.ts').SpanRow[]} spans @param {number} [chosen] */
function boxes(spans, chosen) {
  return boxesOf(icicle(spans, [...spans.keys()]), spans, {
    range: { first: 0, end: 1 },
    window: { from: 0, to: endOf(spans[spans.length - 1]) },
    width: 1000,
    chosen,
  });
}

test("spans that can't be told apart are one box, but the chosen one", () => {
  const spans = row(400, 1, 1, 1, 400, 1, 196);
  const indices = (/** @type {number[]} */ ...chosen) =>
    boxes(spans, chosen[0]).map((box) => box.indices);
  assert.deepEqual(indices(), [[0], [1, 2, 3], [4], [5], [6]]);
  assert.deepEqual(indices(2), [[0], [1, 2, 3], [4], [5], [6], [2]]);
  assert.deepEqual(indices(0), [[0], [1, 2, 3], [4], [5], [6]]);
});

test("there are never more boxes than can be drawn", () => {
  const spans = row(...Array.from({ length: 10000 }, () => 1));
  const drawn = boxes(spans);
  assert.ok(drawn.length <= 1000, `${drawn.length} boxes`);
  const members = drawn.flatMap((box) => box.indices);
  assert.equal(new Set(members).size, 10000, "each span is in a box");
});

test("a box of several can be zoomed to", () => {
  const spans = row(100, 50, 50);
  assert.deepEqual(windowOf(spans, [1, 2]), { from: 95, to: 205 });
});
