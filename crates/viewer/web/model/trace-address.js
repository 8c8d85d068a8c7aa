// What the address of a trace says besides its ids: how the trace is seen.
// `#/trace/<id>/<span>?q=status%3Derror&view=icicle&critical=only&from=0&to=90`

/** How a trace is drawn. @typedef {"timeline" | "icicle" | "map"} Shape */

/** @type {Shape[]} */
const SHAPES = ["timeline", "icicle", "map"];

/**
 * @typedef {object} TraceState
 * @property {string} q the query for its spans
 * @property {Shape} shape
 * @property {boolean} critical whether only the critical path is shown
 * @property {import('./timeline.js').Window | null} window null for all of the trace
 */

/** @type {TraceState} */
export const WHOLE = {
  q: "",
  shape: "timeline",
  critical: false,
  window: null,
};

/** @param {URLSearchParams} query @returns {TraceState} */
export function readTraceState(query) {
  const [from, to] = ["from", "to"].map((name) => Number(query.get(name)));
  return {
    q: query.get("q") ?? "",
    shape: SHAPES.find((shape) => shape === query.get("view")) ?? "timeline",
    critical: query.get("critical") === "only",
    window: from >= 0 && to > from ? { from, to } : null,
  };
}

/**
 * @param {string} id
 * @param {string | null} span
 * @param {TraceState} state
 */
export function traceAddress(id, span, { q, shape, critical, window }) {
  const query = new URLSearchParams();
  if (q) query.set("q", q);
  if (shape !== WHOLE.shape) query.set("view", shape);
  if (critical) query.set("critical", "only");
  if (window) {
    query.set("from", nanoseconds(window.from));
    query.set("to", nanoseconds(window.to));
  }
  const path = span === null ? id : `${id}/${span}`;
  return `#/trace/${path}${query.size > 0 ? `?${query}` : ""}`;
}

// A part may be shorter than some nanoseconds.
/** @param {number} ns */
function nanoseconds(ns) {
  return String(Math.round(ns * 10) / 10);
}

/**
 * The state that another trace begins with: what does not belong to this one.
 * @param {URLSearchParams} query
 */
export function stateForAnother(query) {
  return { ...readTraceState(query), window: null };
}
