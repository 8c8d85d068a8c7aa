// Builds spans for tests.

/**
 * A span with defaults for what a test does not care about.
 * @param {Partial<import("../types.d.ts").SpanRow>} fields
 * @returns {import("../types.d.ts").SpanRow}
 */
export function span(fields) {
  return {
    id: "1",
    parent: "",
    service: 0,
    name: "op",
    kind: "SERVER",
    error: false,
    message: "",
    offset_ns: 0,
    duration_ns: 0,
    time: null,
    depth: 0,
    descendants: 0,
    orphan: false,
    cycle: false,
    skew_ns: 0,
    critical: [],
    simulated: false,
    events: [],
    links: [],
    linked_from: 0,
    peer: null,
    ...fields,
  };
}
