// The links between the spans of one trace, by either end.

/** @typedef {import('../types.d.ts').Link} Link */
/** A link and the index of the span that has it. @typedef {{ from: number, link: Link }} TraceLink */

/**
 * For each span id the links that it has or that lead to it.
 * @param {Pick<import('../types.d.ts').Trace, 'trace_id' | 'spans'>} trace
 * @returns {Map<string, TraceLink[]>}
 */
export function linkIndex({ trace_id: id, spans }) {
  /** @type {Map<string, TraceLink[]>} */
  const found = new Map();
  const add = (/** @type {string} */ end, /** @type {TraceLink} */ one) => {
    const known = found.get(end);
    if (known) known.push(one);
    else found.set(end, [one]);
  };
  spans.forEach((span, from) => {
    for (const link of span.links) {
      if (link.trace_id !== id) continue;
      add(span.id, { from, link });
      if (link.span_id !== span.id) add(link.span_id, { from, link });
    }
  });
  return found;
}
