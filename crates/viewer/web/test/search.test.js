import assert from "node:assert/strict";
import test from "node:test";

import { matchingSpans, nextOf } from "../model/search.js";
import { span } from "./spans.js";

const TRACE = {
  services: ["shop", "Payments"],
  spans: [
    span({ id: "aa01", name: "buy" }),
    span({
      id: "aa02",
      service: 1,
      name: "pay",
      kind: "CLIENT",
      message: "declined",
    }),
    span({ id: "aa03", service: 1, name: "log", events: [[0, "exception"]] }),
    span({
      id: "aa04",
      kind: "INTERNAL",
      peer: { kind: "queue", system: "kafka", name: "orders" },
    }),
  ],
};

test("searches names, services, messages, ids, kinds, events and peers in any case", () => {
  for (const [
    text,
    expected,
    reason,
  ] of /** @type {[string, number[], string][]} */ ([
    ["BUY", [0], "name"],
    [" payments ", [1, 2], "service"],
    ["declined", [1], "message"],
    ["aa02", [1], "id"],
    ["client", [1], "kind"],
    ["exception", [2], "event"],
    ["kafka", [3], "the system of a peer"],
    ["ORDERS", [3], "the name of a peer"],
    ["nothing", [], "no match"],
  ])) {
    assert.deepEqual([...(matchingSpans(TRACE, text) ?? [])], expected, reason);
  }
  assert.equal(matchingSpans(TRACE, "  "), null, "an empty text is no search");
});

test("next and previous wrap around", () => {
  const indices = new Set([1, 4]);
  for (const [
    index,
    isBackwards,
    expected,
    reason,
  ] of /** @type {[number, boolean, number, string][]} */ ([
    [-1, false, 1, "nothing is selected"],
    [1, false, 4, "the next"],
    [4, false, 1, "after the last the first"],
    [-1, true, 4, "nothing is selected: the last"],
    [4, true, 1, "the one before"],
    [1, true, 4, "before the first the last"],
  ])) {
    assert.equal(nextOf(indices, index, isBackwards), expected, reason);
  }
  assert.equal(nextOf([], 0), undefined);
  assert.equal(nextOf([], 0, true), undefined);
});
