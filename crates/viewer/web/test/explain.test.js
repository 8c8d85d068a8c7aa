import assert from "node:assert/strict";
import test from "node:test";

import { criticalShares, findFailure } from "../model/explain.js";
import { tree } from "./spans.js";

/** @typedef {import('./spans.js').Branch} Branch */

test("the critical path is shared out by service", () => {
  const spans = tree({
    service: 0,
    critical: [
      [0, 10],
      [90, 100],
    ],
    below: [
      {
        service: 1,
        critical: [[10, 40]],
        below: [
          {
            service: 1,
            kind: "CLIENT",
            name: "find",
            peer: { kind: "database", system: "redis", name: "carts" },
            critical: [[40, 90]],
          },
        ],
      },
      { service: 2 },
    ],
  });
  const { ns, shares } = criticalShares({
    spans,
    services: ["shop", "cart", "mail"],
  });
  assert.equal(ns, 100);
  assert.deepEqual(shares, [
    {
      service: "cart",
      ns: 80,
      share: 0.8,
      ownNs: 30,
      waits: [{ name: "redis carts", ns: 50 }],
      index: 2,
    },
    { service: "shop", ns: 20, share: 0.2, ownNs: 20, waits: [], index: 0 },
  ]);
});

test("a trace without times has no critical path", () => {
  const trace = { spans: tree({}), services: ["shop"] };
  assert.deepEqual(criticalShares(trace), { ns: 0, shares: [] });
});

test("an error is followed to where it began", () => {
  const ok = { duration_ns: 100 };
  const bad = { duration_ns: 100, error: true };
  for (const [
    roots,
    expected,
    reason,
  ] of /** @type {[Branch[], object | null, string][]} */ ([
    [[{ ...ok, below: [ok] }], null, "nothing failed"],
    [[{ ...bad, below: [ok] }], failure(0), "the root itself"],
    [
      [{ ...bad, below: [{ ...bad, below: [bad] }] }],
      failure(2),
      "the deepest of a chain",
    ],
    [
      [{ ...bad, below: [{ ...ok, kind: "INTERNAL", below: [bad] }] }],
      failure(2),
      "below an internal span, which rarely has a status",
    ],
    [
      [{ ...bad, below: [{ ...ok, kind: "CLIENT", below: [bad] }] }],
      failure(0, { others: 1 }),
      "a call that succeeded in spite of its server did not fail the root",
    ],
    [
      [
        {
          ...bad,
          below: [
            { ...bad, offset_ns: 60, duration_ns: 30 },
            { ...bad, offset_ns: 0, duration_ns: 30 },
          ],
        },
      ],
      failure(1, { others: 1 }),
      "of parallel calls and of tries the one that ended last",
    ],
    [
      [{ ...bad, below: [{ ...bad, offset_ns: 120 }] }],
      failure(0, { others: 1 }),
      "asynchronous work after the end is no cause",
    ],
    [
      [{ ...ok, below: [{ ...ok, below: [bad] }] }],
      failure(2, { isFatal: false }),
      "the root recovered",
    ],
    [
      [ok, { ...bad, orphan: true, below: [bad] }],
      failure(2, { isFatal: false }),
      "below an orphan",
    ],
    [[ok, { ...bad, below: [bad] }], failure(2), "the second of two roots"],
    [
      [
        {
          ...bad,
          offset_ns: 50,
          time: "end_before_start",
          duration_ns: 0,
          below: [{ ...bad, offset_ns: 70 }],
        },
      ],
      failure(1),
      "an end that is not known rules nothing out",
    ],
  ])) {
    assert.deepEqual(findFailure(tree(...roots)), expected, reason);
  }
});

test("a very deep chain does not exhaust the stack", () => {
  /** @type {Branch} */
  let chain = { error: true };
  for (let depth = 0; depth < 5000; depth++)
    chain = { error: true, below: [chain] };
  assert.equal(findFailure(tree(chain))?.index, 5000);
});

/** @param {number} index @param {object} [different] */
function failure(index, different = {}) {
  return { index, isFatal: true, others: 0, ...different };
}
