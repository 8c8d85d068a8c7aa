import assert from "node:assert/strict";
import test from "node:test";

import { edgeCurve, layOutGraph, pictureSize } from "../model/graph.js";

/** @typedef {import("../model/graph.js").Point} Point */

const STATS = {
  count: 1,
  rate: 1,
  errors: 0,
  error_rate: 0,
  p50_ns: 0,
  p95_ns: 0,
  p99_ns: 0,
};

/**
 * @param {string} services one letter each
 * @param {string[]} calls caller and callee
 */
function graph(services, calls) {
  return {
    nodes: [...services].map((name) => ({
      ...STATS,
      id: name,
      kind: /** @type {const} */ ("service"),
      system: "",
      name,
      service: name,
      attributes: [],
    })),
    edges: calls.map(([caller, callee]) => ({
      ...STATS,
      caller,
      callee,
      attributes: [],
    })),
    traces: 1,
    seconds: 1,
  };
}

test("a service stands one column after the first caller that reaches it", () => {
  for (const [
    services,
    calls,
    expected,
    reason,
  ] of /** @type {[string, string[], Record<string, number>, string][]} */ ([
    ["", [], {}, "nothing"],
    ["abc", ["ab", "bc"], { a: 0, b: 1, c: 2 }, "a chain"],
    [
      "abc",
      ["ab", "bc", "ac"],
      { a: 0, b: 1, c: 1 },
      "the shortest way counts",
    ],
    ["ab", ["aa", "ab"], { a: 0, b: 1 }, "a call to itself moves nothing"],
    [
      "ab",
      ["ab", "ba"],
      { a: 0, b: 1 },
      "a cycle begins with the first service",
    ],
    [
      "abc",
      ["bc", "cb"],
      { a: 0, b: 0, c: 1 },
      "a cycle that no entry reaches",
    ],
    ["a", ["xa"], { a: 0 }, "a caller that is not drawn"],
  ])) {
    const columns = [...layOutGraph(graph(services, calls))].map(
      ([service, { x }]) => [service, (x - 30) / 420],
    );
    assert.deepEqual(Object.fromEntries(columns), expected, reason);
  }
});

test("columns are centred on the tallest one", () => {
  const positions = layOutGraph(graph("abc", ["ab", "ac"]));
  assert.deepEqual(
    [...positions].map(([service, { y }]) => [service, y]),
    [
      ["a", 106],
      ["b", 40],
      ["c", 172],
    ],
  );
});

test("the picture has room for every node", () => {
  assert.deepEqual(pictureSize(layOutGraph(graph("ab", ["ab"]))), {
    width: 756,
    height: 162,
  });
  assert.deepEqual(
    pictureSize(new Map()),
    { width: 306, height: 122 },
    "an empty graph",
  );
});

test("calls are drawn forward, backward or to the service itself", () => {
  const [left, right] = [
    { x: 30, y: 40 },
    { x: 450, y: 40 },
  ];
  for (const [
    from,
    to,
    expected,
    reason,
  ] of /** @type {[Point, Point, string, string][]} */ ([
    [left, right, "M246 71C306 71 388 71 448 71", "forward"],
    [right, left, "M558 102C558 152 138 152 138 102", "backward"],
    [left, left, "M80 40C80 -4 150 -4 150 40", "itself"],
  ])) {
    assert.equal(edgeCurve(from, to).d, expected, reason);
  }
});
