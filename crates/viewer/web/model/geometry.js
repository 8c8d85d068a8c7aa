// Where the waterfall draws things: rows in pixels, times in percent.

/** The height of a row in pixels; style/trace.css has it too. */
export const ROW_HEIGHT = 28;
/** The height of a lane of the icicle; style/icicle.css has it too. */
export const LANE_HEIGHT = 22;
/** Rows that are drawn beyond what is in sight, on either side. */
const SPARE_ROWS = 12;
/** Minimap and ruler; style/timeline.css has it too. */
const HEAD_HEIGHT = 66;

/** @typedef {import('./timeline.js').Window} Window */

/**
 * A time as a percentage of the window; 0 when that takes no time.
 * @param {number} ns
 * @param {Window} window
 */
export function percentOf(ns, { from, to }) {
  return to > from ? (100 * (ns - from)) / (to - from) : 0;
}

/**
 * A piece of time, such as a bar or a segment of the critical path, as far as it
 * is in the window; null if it is not.
 * @param {number} from
 * @param {number} to
 * @param {Window} window
 */
export function segment(from, to, window) {
  if (to < window.from || from > window.to) return null;
  const left = percentOf(Math.max(from, window.from), window);
  const right = percentOf(Math.min(to, window.to), window);
  return { left, width: right - left };
}

/**
 * Pieces of time as far as they are in the window. Those that can't be told apart
 * are one.
 * @param {[number, number][]} pieces from and to, in ascending order
 * @param {Window} window
 * @param {number} least the smallest gap to see, in percent
 */
export function segments(pieces, window, least) {
  /** @type {{ left: number, width: number }[]} */
  const seen = [];
  for (const [from, to] of pieces) {
    const piece = segment(from, to, window);
    if (piece === null) continue;
    const last = seen[seen.length - 1];
    if (last && piece.left - (last.left + last.width) < least)
      last.width = Math.max(last.width, piece.left + piece.width - last.left);
    else seen.push(piece);
  }
  return seen;
}

/**
 * The position of an event, which clocks may have put outside of the trace; null
 * if it is not in the window.
 * @param {number} offset
 * @param {Window} window
 * @param {number} total
 */
export function eventPosition(offset, window, total) {
  const within = Math.min(total, Math.max(0, offset));
  if (within < window.from || within > window.to) return null;
  return percentOf(within, window);
}

/**
 * Where a bar's duration stands: behind it, or where a bar that is out of sight
 * would come in, with an arrow towards it.
 * @param {{ offset_ns: number, duration_ns: number }} span
 * @param {Window} window
 * @returns {{ percent: number, arrow: '' | '◂' | '▸' }}
 */
export function labelPosition({ offset_ns: start, duration_ns }, window) {
  const end = start + duration_ns;
  if (end < window.from) return { percent: 0, arrow: "◂" };
  if (start > window.to) return { percent: 100, arrow: "▸" };
  return { percent: Math.min(100, percentOf(end, window)), arrow: "" };
}

/**
 * By how many pixels each level of a tree is indented: less in a deep one, so
 * that there is room for names at every depth.
 * @param {number} depth the largest
 * @param {number} width of the column, in pixels
 */
export function indentStep(depth, width) {
  return depth > 0 ? Math.min(14, (0.4 * width) / depth) : 14;
}

/**
 * The rows to draw: those in sight and some spare ones. The end is excluded.
 * @param {{ scrollTop: number, height: number }} viewport
 * @param {number} count how many rows there are
 * @param {number} [rowHeight]
 */
export function rowsToDraw(
  { scrollTop, height },
  count,
  rowHeight = ROW_HEIGHT,
) {
  const top = Math.max(0, scrollTop - HEAD_HEIGHT);
  return {
    first: Math.max(0, Math.floor(top / rowHeight) - SPARE_ROWS),
    end: Math.min(count, Math.ceil((top + height) / rowHeight) + SPARE_ROWS),
  };
}

/**
 * The scroll position that brings a row into sight; unchanged when it is.
 * @param {number} row
 * @param {{ scrollTop: number, height: number }} viewport
 * @param {number} [rowHeight]
 */
export function scrollToRow(
  row,
  { scrollTop, height },
  rowHeight = ROW_HEIGHT,
) {
  const top = row * rowHeight;
  const room = height - HEAD_HEIGHT - 8;
  if (top < scrollTop) return Math.max(0, top - rowHeight);
  if (top + rowHeight > scrollTop + room) return top + 2 * rowHeight - room;
  return scrollTop;
}

/** Where a link begins or ends: its height in pixels, its time in percent. @typedef {{ y: number, percent: number }} End */

/**
 * The curve of a link between two spans, as the `d` of an SVG path.
 * @param {End} from
 * @param {End} to
 * @param {{ left: number, width: number }} track in pixels
 */
export function linkCurve(from, to, { left, width }) {
  const x1 = left + (within(from.percent) * width) / 100;
  const x2 = left + (within(to.percent) * width) / 100;
  const distance = Math.min(30, Math.abs(from.y - to.y) / 14);
  const bend = Math.max(left - 2, Math.min(x1, x2) - 18 - distance);
  return `M${x1} ${from.y}C${bend} ${from.y} ${bend} ${to.y} ${x2 - 1} ${to.y}`;
}

/** @param {number} percent */
function within(percent) {
  return Math.min(100, Math.max(0, percent));
}
