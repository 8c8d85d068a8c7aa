// Reads the page's address: `#/`, `#/trace/<id>/<span>?view=map`, `#/map`, `#/try`.

/**
 * @param {string} hash
 * @returns {{ name: string, segments: string[], query: URLSearchParams }}
 */
export function parseRoute(hash) {
  const [path, query = ""] = hash.replace(/^#/, "").split("?");
  const [name = "", ...segments] = path
    .split("/")
    .filter((segment) => segment !== "");
  return { name, segments, query: new URLSearchParams(query) };
}

/** @typedef {Pick<import('../types.d.ts').GraphNode, 'service' | 'attributes'>} Found */

/**
 * The address of the traces with a call or a message.
 * @param {Pick<import('../types.d.ts').GraphEdge, 'attributes'>} edge
 * @param {Found} caller
 * @param {Found} callee
 */
export function callAddress({ attributes }, caller, callee) {
  if (caller.service !== null && callee.service !== null)
    return `#/?calls=${encodeURIComponent(`${caller.service}>${callee.service}`)}`;
  return nodeAddress({
    service: caller.service ?? callee.service,
    attributes,
  });
}

/**
 * The address of the traces of a node.
 * @param {Found} node
 */
export function nodeAddress({ service, attributes }) {
  const query = new URLSearchParams();
  if (service !== null) query.set("service", service);
  for (const one of attributes) query.append("attribute", one);
  return `#/?${query}`;
}

/**
 * The address of a span in its trace.
 * @param {{ trace_id: string, span_id: string }} span
 */
export function spanAddress({ trace_id: trace, span_id: span }) {
  return `#/trace/${trace}/${span}`;
}
