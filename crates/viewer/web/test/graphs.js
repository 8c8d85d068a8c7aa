// Builds graphs for tests.

/** @typedef {import("../types.d.ts").GraphNode} GraphNode */
/** @typedef {import("../types.d.ts").GraphEdge} GraphEdge */

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
 * A node; a service by default.
 * @param {string} name
 * @param {Partial<GraphNode>} [fields]
 * @returns {GraphNode}
 */
export function node(name, fields = {}) {
  return {
    ...STATS,
    id: name,
    kind: "service",
    system: "",
    name,
    service: name,
    attributes: [],
    ...fields,
  };
}

/**
 * A call.
 * @param {string} caller
 * @param {string} callee
 * @param {Partial<GraphEdge>} [fields]
 * @returns {GraphEdge}
 */
export function edge(caller, callee, fields = {}) {
  return { ...STATS, caller, callee, attributes: [], ...fields };
}

/**
 * A graph of calls such as `a>b`.
 * @param {string} calls separated by spaces
 */
export function graph(calls) {
  const edges = calls.split(" ").map((call) => {
    const [caller, callee] = call.split(">");
    return edge(caller, callee);
  });
  const names = new Set(
    edges.flatMap(({ caller, callee }) => [caller, callee]),
  );
  const nodes = [...names].map((name) => node(name));
  return { nodes, edges, traces: 1, seconds: 1 };
}

/** Every character has the same width. @param {string} text */
export function measure(text) {
  return text.length * 7;
}
