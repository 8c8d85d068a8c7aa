import assert from "node:assert/strict";
import test from "node:test";

import { traceGraph } from "../model/trace-graph.js";
import { tree } from "./spans.js";

/** @typedef {import("./spans.js").Branch} Branch */
/** @typedef {import("../types.d.ts").Peer} Peer */

const SERVICES = ["shop", "cart", "billing"];
/** @type {Peer} */
const QUEUE = { kind: "queue", system: "kafka", name: "orders" };
/** @type {Peer} */
const STORE = { kind: "database", system: "mysql", name: "db", role: "call" };

/** @param {Branch[]} roots */
function graphOf(...roots) {
  return traceGraph({
    spans: tree(...roots),
    services: SERVICES,
    duration_ns: 9,
  });
}

/** Each edge as `caller>callee`, with its spans. @param {ReturnType<typeof graphOf>} graph */
function edges({ nodes, edges }) {
  const names = new Map(nodes.map((node) => [node.id, node.name]));
  return Object.fromEntries(
    edges.map(({ caller, callee, spans }) => [
      `${names.get(caller)}>${names.get(callee)}`,
      spans,
    ]),
  );
}

test("a call is counted by the span that answers it", () => {
  const call = {
    kind: "CLIENT",
    below: [{ kind: "SERVER", service: 1, duration_ns: 4, error: true }],
  };
  const graph = graphOf({
    kind: "SERVER",
    duration_ns: 9,
    below: [call, call],
  });
  assert.deepEqual(edges(graph), { "shop>cart": [2, 4] });
  const [{ count, errors, error_rate: share, p50_ns: median }] = graph.edges;
  assert.deepEqual([count, errors, share, median], [2, 2, 1, 4]);
  const counted = graph.nodes.map(({ service, count }) => [service, count]);
  assert.deepEqual(counted, [
    ["cart", 2],
    ["shop", 1],
  ]);
});

test("edges and nodes follow the rules of the API", () => {
  const message = { kind: "PRODUCER", peer: QUEUE };
  const producer = /** @type {Branch} */ ({ id: "p", ...message });
  const link = { trace_id: "t", span_id: "p", reason: null };
  for (const [
    below,
    expected,
    reason,
  ] of /** @type {[Branch[], Record<string, number[]>, string][]} */ ([
    [[{ kind: "INTERNAL" }], {}, "work inside"],
    [
      [{ kind: "INTERNAL", service: 1 }],
      { "shop>cart": [1] },
      "another service",
    ],
    [
      [{ kind: "CLIENT", below: [{ kind: "SERVER" }] }],
      { "shop>shop": [2] },
      "a call of itself",
    ],
    [[{ kind: "CLIENT", peer: STORE }], { "shop>db": [1] }, "a store"],
    [[{ kind: "CLIENT", peer: null }], {}, "a call that nothing is known of"],
    [
      [{ ...producer, below: [{ kind: "CONSUMER", service: 2 }] }],
      { "shop>orders": [1], "orders>billing": [2] },
      "a message goes by its queue, not from service to service",
    ],
    [
      [
        producer,
        { kind: "CLIENT", peer: { ...QUEUE, role: "send" }, links: [link] },
      ],
      { "shop>orders": [1] },
      "messages count once",
    ],
    [
      [{ kind: "CLIENT", peer: { ...QUEUE, role: "receive" } }],
      { "orders>shop": [1] },
      "fetching reads",
    ],
    [
      [
        { kind: "CLIENT", peer: { ...QUEUE, role: "receive" } },
        { kind: "CONSUMER", peer: QUEUE },
      ],
      { "orders>shop": [2] },
      "what is processed was fetched before",
    ],
    [
      [
        producer,
        {
          kind: "CONSUMER",
          service: 2,
          peer: { ...QUEUE, name: "" },
          links: [link],
        },
      ],
      { "shop>orders": [1], "shop>billing": [2], "orders>billing": [2] },
      "a link says the queue",
    ],
    [[{ kind: "CLIENT", peer: { ...QUEUE, role: "other" } }], {}, "settling"],
  ]))
    assert.deepEqual(
      edges(graphOf({ kind: "SERVER", below })),
      expected,
      reason,
    );
});

test("spans without times count, but have no durations", () => {
  const store = { kind: "CLIENT", peer: STORE };
  const { edges } = graphOf({
    below: [
      { ...store, duration_ns: 7 },
      { ...store, duration_ns: 0, time: "no_end" },
    ],
  });
  assert.deepEqual(
    [edges[0].count, edges[0].p99_ns, edges[0].p50_ns],
    [2, 7, 7],
  );
});

test("a peer counts what goes into it, or else what comes out", () => {
  const read = graphOf({ kind: "CONSUMER", peer: QUEUE });
  const both = graphOf({
    below: [
      {
        kind: "PRODUCER",
        peer: QUEUE,
        below: [
          { kind: "CONSUMER", service: 1, peer: QUEUE },
          { kind: "CONSUMER", service: 2, peer: QUEUE },
        ],
      },
    ],
  });
  for (const [graph, expected] of /** @type {const} */ ([
    [read, [0]],
    [both, [1]],
  ])) {
    const queue = graph.nodes.find(({ kind }) => kind === "queue");
    assert.deepEqual(queue?.spans, expected);
  }
});

test("only the busiest of very many nodes are drawn", () => {
  const below = Array.from({ length: 300 }, (_, at) => ({
    kind: "CLIENT",
    peer: { ...STORE, name: `db ${at}` },
  }));
  const { nodes, edges } = graphOf({
    below: [...below, { kind: "CLIENT", peer: { ...STORE, name: "db 299" } }],
  });
  assert.equal(nodes.length, 200);
  assert.equal(edges.length, 200);
  assert.equal(edges[0].count, 2, "the busiest first");
});
