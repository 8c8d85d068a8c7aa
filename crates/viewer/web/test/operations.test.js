import assert from "node:assert/strict";
import test from "node:test";

import { operations, selfTimes, sortOperations } from "../model/operations.js";
import { tree } from "./spans.js";

test("a span's own time is what none of its children take", () => {
  for (const [
    children,
    expected,
    reason,
  ] of /** @type {[[number, number][], number, string][]} */ ([
    [[], 100, "no child"],
    [
      [
        [10, 20],
        [40, 20],
      ],
      60,
      "one after the other",
    ],
    [
      [
        [10, 50],
        [30, 60],
      ],
      20,
      "in parallel",
    ],
    [
      [
        [10, 80],
        [20, 10],
      ],
      20,
      "one within the other",
    ],
    [[[90, 50]], 90, "one that goes on, asynchronously"],
    [[[-20, 30]], 90, "one that begins too early, by another clock"],
    [[[150, 30]], 100, "one that comes after it"],
  ])) {
    const below = children.map(([offset_ns, duration_ns]) => ({
      offset_ns,
      duration_ns,
    }));
    const spans = tree({ duration_ns: 100, below });
    assert.equal(selfTimes(spans)[0], expected, reason);
  }
});

test("spans are counted by service and operation", () => {
  const spans = tree(
    {
      name: "buy",
      duration_ns: 100,
      critical: [[0, 40]],
      below: [
        { name: "pay", service: 1, offset_ns: 40, duration_ns: 20 },
        {
          name: "pay",
          service: 1,
          offset_ns: 60,
          duration_ns: 30,
          error: true,
        },
      ],
    },
    { name: "buy", duration_ns: 5, orphan: true },
  );
  const found = operations({ spans, services: ["shop", "bank"] });
  assert.deepEqual(found, [
    {
      service: "shop",
      name: "buy",
      count: 2,
      errors: 0,
      selfNs: 55,
      totalNs: 105,
      criticalNs: 40,
      slowest: 0,
    },
    {
      service: "bank",
      name: "pay",
      count: 2,
      errors: 1,
      selfNs: 50,
      totalNs: 50,
      criticalNs: 0,
      slowest: 2,
    },
  ]);
  const sorted = (
    /** @type {any} */ column,
    /** @type {boolean} */ isReversed,
  ) => sortOperations(found, column, isReversed).map((one) => one.name);
  assert.deepEqual(sorted("service", false), ["pay", "buy"], "from A on");
  assert.deepEqual(sorted("selfNs", false), ["buy", "pay"], "largest first");
  assert.deepEqual(sorted("selfNs", true), ["pay", "buy"], "smallest first");
  assert.deepEqual(sorted("count", true), ["buy", "pay"], "ties by own time");
});
