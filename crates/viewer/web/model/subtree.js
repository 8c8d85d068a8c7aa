// Walks the spans of a trace, which come in reading order.

/** @typedef {import('../types.d.ts').SpanRow} SpanRow */

/**
 * The indices of a span's children.
 * @param {SpanRow[]} spans
 * @param {number} index
 */
export function childrenOf(spans, index) {
  const last = index + spans[index].descendants;
  const children = [];
  for (let at = index + 1; at <= last; at += spans[at].descendants + 1)
    children.push(at);
  return children;
}

/** The indices of the spans without a parent. @param {SpanRow[]} spans */
export function rootsOf(spans) {
  const roots = [];
  for (let at = 0; at < spans.length; at += spans[at].descendants + 1)
    roots.push(at);
  return roots;
}

/**
 * The index of each span's parent; -1 for a root.
 * @param {SpanRow[]} spans
 */
export function parentsOf(spans) {
  /** @type {number[]} */
  const path = [];
  return spans.map((span, index) => {
    path.length = span.depth;
    path.push(index);
    return span.depth > 0 ? path[span.depth - 1] : -1;
  });
}

/**
 * Which of how many siblings each span is, from 1.
 * @param {number[]} parents the index of each span's parent; -1 for a root
 */
export function siblingPlaces(parents) {
  /** @type {Map<number, number>} */
  const sizes = new Map();
  const places = parents.map((parent) => {
    const place = (sizes.get(parent) ?? 0) + 1;
    sizes.set(parent, place);
    return place;
  });
  return places.map((place, index) => ({
    place,
    size: sizes.get(parents[index]) ?? place,
  }));
}

/** When a span ends. @param {SpanRow} span */
export function endOf({ offset_ns: offset, duration_ns: duration }) {
  return offset + duration;
}
