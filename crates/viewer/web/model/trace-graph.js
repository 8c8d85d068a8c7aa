// The map of one trace: what its spans call, write to and read from. It has the
// shape of the API's graph and follows the same rules (docs/viewer-api.md), but
// counts spans, where the API counts messages.

import { parentsOf } from "./subtree.js";

/** @typedef {import('../types.d.ts').Trace} Trace */
/** @typedef {import('../types.d.ts').SpanRow} SpanRow */
/** @typedef {import('../types.d.ts').Peer} Peer */
/** With the indices of the spans that it counts. @typedef {import('../types.d.ts').GraphNode & { spans: number[] }} TraceNode */
/** @typedef {import('../types.d.ts').GraphEdge & { spans: number[] }} TraceEdge */
/** @typedef {{ nodes: TraceNode[], edges: TraceEdge[], traces: number, seconds: number }} TraceGraph */
/** @typedef {{ caller: Peer, callee: Peer, spans: number[], fetched: number[] }} Found */

/** As many nodes and as many edges are drawn, those with the most spans. */
const MAX_ITEMS = 200;

/**
 * @param {Pick<Trace, 'spans' | 'services' | 'duration_ns'>} trace
 * @returns {TraceGraph}
 */
export function traceGraph({ spans, services, duration_ns: total }) {
  const found = [...findEdges(spans, services).values()];
  const all = found.map(({ caller, callee, spans: seen, fetched }) => {
    // What is processed was fetched before.
    const counted = seen.length > 0 ? seen : fetched;
    const ends = { caller: nodeId(caller), callee: nodeId(callee) };
    return {
      ...ends,
      attributes: [],
      spans: counted,
      ...stats(spans, counted),
    };
  });
  /** @type {Map<string, Peer>} */
  const nodes = new Map();
  /** @type {Map<string, number[]>} */
  const entries = new Map();
  const add = (/** @type {Peer} */ node) => nodes.set(nodeId(node), node);
  spans.forEach((span, index) => {
    if (span.depth > 0 && !["SERVER", "CONSUMER"].includes(span.kind)) return;
    const node = serviceNode(services[span.service]);
    add(node);
    collect(entries, nodeId(node), [index]);
  });
  for (const { caller, callee } of found) [caller, callee].forEach(add);
  /** @type {Map<string, number[]>} */
  const into = new Map();
  /** @type {Map<string, number[]>} */
  const outOf = new Map();
  for (const edge of all) {
    collect(into, edge.callee, edge.spans);
    collect(outOf, edge.caller, edge.spans);
  }
  const drawn = [...nodes].map(([id, { kind, system, name }]) => {
    const service = kind === "service" ? name : null;
    const used = into.get(id) ?? outOf.get(id) ?? [];
    const own = service === null ? used : (entries.get(id) ?? []);
    const node = { id, kind, system, name, service, attributes: [] };
    return { ...node, spans: own, ...stats(spans, own) };
  });
  return {
    nodes: busiest(drawn),
    edges: busiest(all),
    traces: 1,
    seconds: total / 1e9,
  };
}

/**
 * @param {SpanRow[]} spans
 * @param {string[]} services
 */
function findEdges(spans, services) {
  /** @type {Map<string, Found>} */
  const edges = new Map();
  const edge = (/** @type {Peer} */ caller, /** @type {Peer} */ callee) => {
    const key = JSON.stringify([nodeId(caller), nodeId(callee)]);
    const one = edges.get(key) ?? { caller, callee, spans: [], fetched: [] };
    edges.set(key, one);
    return one;
  };
  const parents = parentsOf(spans);
  const byId = new Map(spans.map((span) => [span.id, span]));
  spans.forEach((span, index) => {
    const parent = spans[parents[index]];
    const own = serviceNode(services[span.service]);
    const role = roleOf(span);
    const isDelivery = span.kind === "CONSUMER" && publishes(parent);
    if (parent && !isDelivery && isCall(parent, span))
      edge(serviceNode(services[parent.service]), own).spans.push(index);
    const { peer } = span;
    if (peer && role === "call") edge(own, peer).spans.push(index);
    // Messages with spans of their own are counted by these.
    const isMessage =
      role === "message" || (role === "send" && span.links.length === 0);
    if (peer && isMessage) edge(own, peer).spans.push(index);
    if (role === "receive" || role === "process") {
      const queue = queueOf(span, parent, byId);
      if (queue)
        edge(queue, own)[role === "receive" ? "fetched" : "spans"].push(index);
    }
  });
  return edges;
}

/** @param {Map<string, number[]>} map @param {string} key @param {number[]} indices */
function collect(map, key, indices) {
  const all = map.get(key) ?? [];
  for (const index of indices) all.push(index);
  map.set(key, all);
}

/**
 * @template {{ count: number }} Item
 * @param {Item[]} items
 */
function busiest(items) {
  const sorted = [...items].sort((one, other) => other.count - one.count);
  return sorted.slice(0, MAX_ITEMS);
}

/** Whether a span is a call's other half. @param {SpanRow} caller @param {SpanRow} callee */
function isCall(caller, callee) {
  const isAnswer = caller.kind === "CLIENT" && callee.kind === "SERVER";
  return caller.service !== callee.service || isAnswer;
}

/** What a span does with its peer. @param {SpanRow} span */
function roleOf({ kind, peer }) {
  if (peer?.role) return peer.role;
  if (kind === "CONSUMER") return "process";
  if (!peer) return null;
  return peer.kind === "queue" ? "message" : "call";
}

/** @param {SpanRow | undefined} span */
function publishes(span) {
  return !!span?.peer && ["message", "send"].includes(roleOf(span) ?? "");
}

/**
 * The queue that a consumer reads from: its own, or that of the producer that is
 * its parent or that it links to.
 * @param {SpanRow} span
 * @param {SpanRow | undefined} parent
 * @param {Map<string, SpanRow>} byId
 */
function queueOf({ peer, links }, parent, byId) {
  if (peer?.system && peer.name) return peer;
  const linked = links.map((link) => byId.get(link.span_id));
  return [parent, ...linked].find(publishes)?.peer ?? peer;
}

/** @param {string} name @returns {Peer} */
function serviceNode(name) {
  return { kind: "service", system: "", name };
}

/** @param {Peer} node */
function nodeId({ kind, system, name }) {
  return JSON.stringify([kind, system, name]);
}

/**
 * @param {SpanRow[]} spans
 * @param {number[]} indices
 * @returns {import('../types.d.ts').CallStats}
 */
function stats(spans, indices) {
  const seen = indices.map((index) => spans[index]);
  const errors = seen.filter((span) => span.error).length;
  const durations = seen
    .filter((span) => span.time === null)
    .map((span) => span.duration_ns)
    .sort((one, other) => one - other);
  const quantile = (/** @type {number} */ share) =>
    durations[Math.max(0, Math.ceil(share * durations.length) - 1)] ?? 0;
  return {
    count: seen.length,
    rate: 0,
    errors,
    error_rate: seen.length > 0 ? errors / seen.length : 0,
    p50_ns: quantile(0.5),
    p95_ns: quantile(0.95),
    p99_ns: quantile(0.99),
  };
}
