import assert from "node:assert/strict";
import test from "node:test";

import { boxesOf, shapeOf } from "../model/graph-boxes.js";
import { OVER_TIME } from "../model/graph-figures.js";
import { layOut } from "../model/graph-layout.js";
import { edge, graph, measure, node } from "./graphs.js";

/** @typedef {import("../types.d.ts").Graph} Graph */
/** @typedef {import("../model/layered.js").Rect} Rect */

/** @param {Graph} graph @param {number} width */
function layoutOf(graph, width) {
  const boxes = boxesOf(graph, OVER_TIME, measure);
  const shape = shapeOf(graph, boxes, width);
  return { ...layOut(shape), boxes };
}

/** A service with leaves, and the services that it calls. @param {number} leaves */
function withLeaves(leaves) {
  const base = graph("shop>cart shop>search cart>search search>shop");
  for (let number = 0; number < leaves; number++) {
    const caller = number % 3 === 0 ? "cart" : "shop";
    base.nodes.push(
      node(`store ${number}`, { kind: "database", system: "mysql" }),
    );
    base.edges.push(edge(caller, `store ${number}`));
  }
  return base;
}

/** Calls among many services, with cycles and calls to themselves. */
function dense() {
  const calls = [];
  for (let from = 0; from < 14; from++)
    for (const by of [0, 1, 3, 5])
      calls.push(`s${from}>s${(from * by + by) % 14}`);
  return graph([...new Set(calls)].join(" "));
}

/** @param {ReturnType<typeof layoutOf>} layout */
function labelRects({ lines, boxes }) {
  return [...lines].flatMap(([key, { label }]) => {
    const box = boxes.edges.get(key);
    if (!label || !box) return [];
    const { width, height } = box;
    const rect = {
      x: label.x - width / 2,
      y: label.y - height / 2,
      width,
      height,
    };
    return [/** @type {const} */ ([key, rect])];
  });
}

/** @param {Rect} one @param {Rect} other */
function overlap(one, other) {
  return (
    one.x < other.x + other.width &&
    other.x < one.x + one.width &&
    one.y < other.y + other.height &&
    other.y < one.y + one.height
  );
}

/** Points on a path of lines and curves. @param {string} d */
function pointsOn(d) {
  const points = [];
  let [x, y] = [0, 0];
  for (const [, command, text] of d.matchAll(/([MLCQ])([^MLCQ]*)/g)) {
    const all = text
      .trim()
      .split(/[\s,]+/)
      .map(Number);
    const ends = [x, y, ...all];
    const degree = all.length / 2;
    for (let step = 1; step <= 12 && command !== "M"; step++) {
      const [at, left] = [step / 12, 1 - step / 12];
      const weights =
        degree === 3
          ? [left ** 3, 3 * left ** 2 * at, 3 * left * at ** 2, at ** 3]
          : degree === 2
            ? [left ** 2, 2 * left * at, at ** 2]
            : [left, at];
      const sum = (/** @type {number} */ axis) =>
        weights.reduce(
          (total, weight, number) => total + weight * ends[2 * number + axis],
          0,
        );
      points.push({ x: sum(0), y: sum(1) });
    }
    [x, y] = all.slice(-2);
  }
  return points;
}

const GRAPHS = /** @type {[string, Graph][]} */ ([
  ["a chain", graph("a>b b>c")],
  ["a cycle", graph("a>b b>c c>a")],
  ["a call to itself", graph("a>a a>b")],
  ["60 leaves", withLeaves(60)],
  ["many calls", dense()],
]);

for (const width of [400, 1400])
  for (const [name, drawn] of GRAPHS) {
    test(`nothing collides at ${width} px: ${name}`, () => {
      const layout = layoutOf(drawn, width);
      const labels = labelRects(layout);
      const all = [...layout.rects, ...labels];
      assert.equal(layout.rects.size, drawn.nodes.length);
      assert.equal(layout.lines.size, drawn.edges.length);
      for (const [at, [id, rect]] of all.entries()) {
        for (const [other, otherRect] of all.slice(at + 1))
          assert.ok(!overlap(rect, otherRect), `${id} and ${other}`);
        assert.ok(
          rect.x >= 0 && rect.x + rect.width <= layout.width,
          `${id} is within`,
        );
        assert.ok(
          rect.y >= 0 && rect.y + rect.height <= layout.height,
          `${id} is within`,
        );
      }
      for (const [key, { d }] of layout.lines)
        for (const { x, y } of pointsOn(d))
          for (const [id, rect] of all) {
            if (id === key || JSON.parse(key).includes(id)) continue;
            const inner = {
              x: rect.x + 1,
              y: rect.y + 1,
              width: rect.width - 2,
              height: rect.height - 2,
            };
            const point = { x, y, width: 0, height: 0 };
            assert.ok(!overlap(point, inner), `the line ${key} crosses ${id}`);
          }
    });
  }

test("a callee stands behind its caller", () => {
  const wide = layoutOf(graph("a>b b>c a>c"), 1400).rects;
  const [a, b, c] = ["a", "b", "c"].map(
    (id) => /** @type {Rect} */ (wide.get(id)),
  );
  assert.ok(a.x < b.x && b.x < c.x, "from left to right");
  const narrow = layoutOf(graph("a>b"), 400).rects;
  assert.ok(Number(narrow.get("a")?.y) < Number(narrow.get("b")?.y), "down");
});

test("few leaves have lines of their own, many share one", () => {
  for (const [count, expected] of [
    [6, false],
    [7, true],
  ]) {
    const calls = Array.from({ length: Number(count) }, (_, at) => `a>b${at}`);
    const { lines } = layoutOf(graph(calls.join(" ")), 1400);
    const isShared = [...lines.values()].every(({ label }) => label === null);
    assert.equal(isShared, expected);
  }
});

test("names that mean something to objects are names", () => {
  const { rects, lines } = layoutOf(
    graph("__proto__>constructor constructor>toString"),
    1400,
  );
  assert.deepEqual(
    [...rects.keys()],
    ["__proto__", "constructor", "toString"].sort(),
  );
  assert.equal(lines.size, 2);
  assert.equal(
    layoutOf({ ...graph("a>b"), nodes: [] }, 1400).lines.size,
    0,
    "ends that are not drawn",
  );
});
