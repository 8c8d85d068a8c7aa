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
 * The next match after an index, or the first one.
 * @param {Set<number> | null} matches
 * @param {number} index
 */
export function nextMatch(matches, index) {
  const all = [...(matches ?? [])];
  return all.find((one) => one > index) ?? all[0];
}
