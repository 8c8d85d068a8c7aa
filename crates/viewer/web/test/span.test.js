import assert from "node:assert/strict";
import test from "node:test";

import {
  badges,
  calleeLabel,
  hasTarget,
  kindLabel,
  outcomeLabel,
  peerLabel,
  traceCounts,
} from "../model/span.js";
import { span, tree } from "./spans.js";

test("badges name what is wrong or special", () => {
  const elsewhere = { trace_id: "2", span_id: "7", reason: "" };
  for (const [
    fields,
    expected,
    reason,
  ] of /** @type {[object, string[], string][]} */ ([
    [{}, [], "nothing is"],
    [{ orphan: true, parent: "9" }, ["parent missing"], "an orphan"],
    [{ cycle: true }, ["cycle cut"], "a cycle"],
    [{ skew_ns: 1_000_000 }, ["⇤ 1.00 ms"], "clock skew"],
    [{ time: "no_end" }, ["no end"], "times"],
    [{ linked_from: 2 }, ["↙"], "links from other traces"],
    [{ links: [elsewhere] }, ["↗"], "a link to another trace"],
    [
      { links: [{ ...elsewhere, trace_id: "1" }] },
      [],
      "a link within the trace",
    ],
    [{ links: [{ ...elsewhere, span_id: "0" }] }, [], "a link to nothing"],
  ])) {
    assert.deepEqual(
      badges(span(fields), "1").map((badge) => badge.text),
      expected,
      reason,
    );
  }
});

test("a link without ids has no target", () => {
  for (const [
    traceId,
    spanId,
    expected,
  ] of /** @type {[string, string, boolean][]} */ ([
    ["", "", false],
    ["0000", "0000", false],
    ["0001", "", false],
    ["0001", "0001", true],
  ])) {
    assert.equal(hasTarget({ trace_id: traceId, span_id: spanId }), expected);
  }
});

test("a row says kind and peer", () => {
  const queue = (/** @type {string} */ system, /** @type {string} */ name) => ({
    kind: /** @type {const} */ ("queue"),
    system,
    name,
  });
  for (const [
    kind,
    peer,
    expected,
    reason,
  ] of /** @type {[string, import("../types.d.ts").Peer | null, string[], string][]} */ ([
    ["SERVER", null, ["server", ""], "no peer"],
    ["INTERNAL", null, ["", ""], "the default kind"],
    [
      "PRODUCER",
      queue("kafka", "orders"),
      ["producer", "→ kafka orders"],
      "into a queue",
    ],
    [
      "CONSUMER",
      queue("kafka", ""),
      ["consumer", "← kafka"],
      "out of a queue without a name",
    ],
    [
      "CLIENT",
      queue("redis", "redis"),
      ["client", "→ redis"],
      "its name twice",
    ],
  ])) {
    const row = span({ kind, peer });
    assert.deepEqual([kindLabel(row), peerLabel(row)], expected, reason);
  }
});

test("a call names the services that answered it", () => {
  const services = ["shop", "fraud", "bank"];
  const peer = {
    kind: /** @type {const} */ ("external"),
    system: "http",
    name: "x",
  };
  for (const [
    branch,
    expected,
    reason,
  ] of /** @type {[import('./spans.js').Branch, string, string][]} */ ([
    [{ kind: "CLIENT", below: [{ service: 1 }] }, "→ fraud", "one"],
    [
      {
        kind: "PRODUCER",
        below: [{ service: 1 }, { service: 2 }, { service: 1 }],
      },
      "→ fraud, bank",
      "two, each once",
    ],
    [{ kind: "CLIENT", below: [{ service: 0 }] }, "", "itself"],
    [{ kind: "SERVER", below: [{ service: 1 }] }, "", "not a call"],
    [{ kind: "CLIENT", peer, below: [{ service: 1 }] }, "→ http x", "its peer"],
    [{ kind: "CLIENT" }, "", "nobody known"],
  ])) {
    const trace = { spans: tree(branch), services };
    assert.equal(calleeLabel(trace, 0), expected, reason);
  }
});

test("an outcome is a status and a try", () => {
  assert.equal(outcomeLabel(span({})), "");
  assert.equal(outcomeLabel(span({ status: "503" })), "503");
  assert.equal(outcomeLabel(span({ status: "200", resend: 2 })), "200 · try 3");
  assert.equal(outcomeLabel(span({ resend: 1 })), "try 2");
});

test("counts errors, orphans, skew and refused spans", () => {
  const spans = [
    span({ error: true, orphan: true }),
    span({ skew_ns: 1 }),
    span({ skew_ns: 0 }),
  ];
  const trace = {
    trace_id: "1",
    start_ns: "0",
    duration_ns: 0,
    services: [],
    pinned: false,
    links_left_out: 2,
    spans,
  };
  const incomplete = { refused: 3, orphans: 1 };
  assert.deepEqual(traceCounts({ ...trace, incomplete }), {
    errors: 1,
    orphans: 1,
    skewed: 1,
    refused: 3,
    linksLeftOut: 2,
  });
  assert.equal(traceCounts({ ...trace, incomplete: null }).refused, 0);
});
