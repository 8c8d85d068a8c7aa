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
    status: "",
    resend: 0,
    ...fields,
  };
}

/** @typedef {import("../types.d.ts").SpanRow} SpanRow */
/** A span and what is below it. @typedef {Partial<SpanRow> & { below?: Branch[] }} Branch */

/**
 * Trees as rows in reading order.
 * @param {Branch[]} roots
 * @returns {SpanRow[]}
 */
export function tree(...roots) {
  /** @type {SpanRow[]} */
  const rows = [];
  /** @type {{ branch: Branch, depth: number, ancestors: SpanRow[] }[]} */
  const left = roots.map((branch) => ({ branch, depth: 0, ancestors: [] }));
  left.reverse();
  for (let next = left.pop(); next; next = left.pop()) {
    const { below = [], ...fields } = next.branch;
    const row = span({
      id: String(rows.length + 1),
      parent: next.ancestors.at(-1)?.id ?? "",
      ...fields,
      depth: next.depth,
    });
    rows.push(row);
    const ancestors = [...next.ancestors, row];
    const deeper = below.map((branch) => ({
      branch,
      depth: row.depth + 1,
      ancestors,
    }));
    left.push(...deeper.reverse());
  }
  rows.forEach((row, index) => {
    let end = index + 1;
    while (end < rows.length && rows[end].depth > row.depth) end++;
    row.descendants = end - index - 1;
  });
  return rows;
}
