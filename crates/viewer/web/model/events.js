// The events of a span in the order of time.

/** @typedef {import('../types.d.ts').SpanDetails} SpanDetails */

/**
 * The events by their time; those without one come last. Each with its position
 * on a line as long as the span, in percent, null if it has none there.
 * @param {Pick<SpanDetails, 'events' | 'duration_ns'>} span
 */
export function orderedEvents({ events, duration_ns: total }) {
  return [...events]
    .sort((one, other) => time(one) - time(other))
    .map((event) => ({ event, percent: position(event.offset_ns, total) }));
}

/** @param {SpanDetails['events'][number]} event */
function time({ offset_ns: offset }) {
  return offset ?? Number.MAX_VALUE;
}

/** @param {number | null} offset @param {number} total */
function position(offset, total) {
  if (offset === null || total <= 0 || offset < 0 || offset > total)
    return null;
  return (100 * offset) / total;
}
