// Searches the spans of a trace.

/**
 * The indices of the spans that contain a text, in any case; null for no text.
 * @param {Pick<import('../types.d.ts').Trace, 'spans' | 'services'>} trace
 * @param {string} text
 * @returns {Set<number> | null}
 */
export function matchingSpans({ spans, services }, text) {
  const wanted = text.trim().toLowerCase();
  if (!wanted) return null;
  const matches = new Set();
  spans.forEach((span, index) => {
    const events = span.events.map(([, name]) => name);
    const parts = [
      span.name,
      services[span.service],
      span.message,
      span.id,
      span.kind,
      span.peer?.system,
      span.peer?.name,
      ...events,
    ];
    if (parts.join("\n").toLowerCase().includes(wanted)) matches.add(index);
  });
  return matches;
}

/**
 * The next of some indices after another, or the one before it; beyond the last
 * comes the first.
 * @param {Iterable<number>} indices in ascending order
 * @param {number} index
 * @param {boolean} [isBackwards]
 * @returns {number | undefined}
 */
export function nextOf(indices, index, isBackwards = false) {
  const all = [...indices];
  if (isBackwards)
    return all.findLast((one) => one < index) ?? all[all.length - 1];
  return all.find((one) => one > index) ?? all[0];
}
