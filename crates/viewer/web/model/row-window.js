// Which rows of a long list are elements: those in sight, and a margin. All rows
// are of one height.

/** Rows beyond each edge, so that a fast scroll shows no gap. */
const MARGIN = 10;

/**
 * The rows from `from` up to, not including, `to`.
 * @param {{ top: number, bottom: number }} sight from the top of the list, in pixels
 * @param {number} count
 * @param {number} height of a row
 */
export function rowWindow({ top, bottom }, count, height) {
  const from = Math.floor(top / height) - MARGIN;
  const to = Math.ceil(bottom / height) + MARGIN;
  return {
    from: clamp(from, 0, count),
    to: clamp(to, 0, count),
  };
}

/**
 * How far to scroll so that a row is in sight.
 * @param {{ top: number, bottom: number }} sight
 * @param {number} index
 * @param {number} height
 */
export function scrollToRow({ top, bottom }, index, height) {
  const start = index * height;
  if (start < top) return start - top;
  const beyond = start + height - bottom;
  // A row that is higher than what is in sight shows its beginning.
  return beyond > 0 ? Math.min(beyond, start - top) : 0;
}

/**
 * The row that a key leads to from the current one, -1 without one. Null for a key
 * that does not move.
 * @param {string} key
 * @param {number} current
 * @param {number} count
 * @param {number} page rows in sight
 */
export function rowOfKey(key, current, count, page) {
  const step = Math.max(1, page - 1);
  /** @type {Record<string, number>} */
  const targets = {
    j: current + 1,
    ArrowDown: current + 1,
    k: current - 1,
    ArrowUp: current - 1,
    PageDown: Math.max(0, current) + step,
    PageUp: current - step,
    Home: 0,
    End: count - 1,
  };
  if (!Object.hasOwn(targets, key)) return null;
  return count === 0 ? -1 : clamp(targets[key], 0, count - 1);
}

/** @param {number} value @param {number} min @param {number} max */
function clamp(value, min, max) {
  return Math.min(max, Math.max(min, value));
}
