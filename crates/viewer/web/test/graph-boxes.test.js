import assert from "node:assert/strict";
import test from "node:test";

import { boxesOf, edgeBox, nodeBox, shapeOf } from "../model/graph-boxes.js";
import { OVER_TIME } from "../model/graph-figures.js";
import { edge, graph, measure, node } from "./graphs.js";

test("a node says its name, what it is, and its figures", () => {
  const database = { kind: /** @type {const} */ ("database"), system: "mysql" };
  for (const [one, expected, reason] of /** @type {const} */ ([
    [node("shop"), ["shop", "1.0/s · p95 0"], "a service"],
    [
      node("carts", database),
      ["carts", "database · mysql", "1.0/s · p95 0"],
      "a store",
    ],
    [
      node("shop", { errors: 1, error_rate: 0.5 }),
      ["shop", "1.0/s · p95 0 · ✕ 50 %"],
      "with errors",
    ],
    [node("shop", { count: 0 }), ["shop", ""], "without a request of its own"],
    [node(" "), ["(blank)", "1.0/s · p95 0"], "a name that can't be seen"],
  ]))
    assert.deepEqual(nodeBox(one, OVER_TIME, measure).lines, expected, reason);
});

test("a long name is cut to what fits, and the box has room for its texts", () => {
  const long = nodeBox(node("x".repeat(200)), OVER_TIME, measure);
  assert.equal(long.lines[0], `${"x".repeat(29)}…`);
  for (const name of ["a", "a name of some length", "x".repeat(200)]) {
    const { lines, width } = nodeBox(node(name), OVER_TIME, measure);
    assert.ok(Math.max(...lines.map(measure)) + 30 <= width, name);
  }
});

test("a label names errors only where there are some", () => {
  const failing = { errors: 1, error_rate: 0.031 };
  assert.deepEqual(edgeBox(edge("a", "b"), OVER_TIME, measure).lines, [
    "1.0/s",
    "p95 0",
  ]);
  assert.deepEqual(edgeBox(edge("a", "b", failing), OVER_TIME, measure).lines, [
    "1.0/s ✕ 3.1 %",
    "p95 0",
  ]);
});

test("figures that change do not change the shape", () => {
  const first = graph("a>b b>c");
  const boxes = boxesOf(first, OVER_TIME, measure);
  const later = {
    ...first,
    nodes: [...first.nodes].reverse(),
    edges: first.edges.map((one) => ({ ...one, rate: 2, p95_ns: 7 })).reverse(),
  };
  const boxesLater = boxesOf(later, OVER_TIME, measure, boxes);
  assert.deepEqual(shapeOf(later, boxesLater, 900), shapeOf(first, boxes, 900));
  const failing = {
    ...first,
    edges: first.edges.map((one) => ({ ...one, errors: 1, error_rate: 1 })),
  };
  const wide = boxesOf(failing, OVER_TIME, measure, boxes);
  assert.notDeepEqual(shapeOf(failing, wide, 900), shapeOf(first, boxes, 900));
  const again = boxesOf(first, OVER_TIME, measure, wide);
  assert.deepEqual(
    shapeOf(first, again, 900),
    shapeOf(failing, wide, 900),
    "what has room keeps it",
  );
});

test("a narrow map goes from top to bottom", () => {
  const shape = (/** @type {number} */ width) =>
    shapeOf(graph("a>b"), boxesOf(graph("a>b"), OVER_TIME, measure), width);
  assert.equal(shape(400).isUpright, true);
  assert.equal(shape(1400).isUpright, false);
  assert.deepEqual(shape(1330), shape(1400), "few pixels change nothing");
});
