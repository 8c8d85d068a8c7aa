// Where the waterfall draws things: rows in pixels, times in percent.

/** The height of a row in pixels; style/trace.css has it too. */
export const ROW_HEIGHT = 28;
/** Rows that are drawn beyond what is in sight, on either side. */
const SPARE_ROWS = 12;
const HEAD_HEIGHT = 32;

/**
 * A time as a percentage of the trace; 0 when the trace takes no time.
 * @param {number} ns
 * @param {number} total
 */
export function percentOf(ns, total) {
  return total > 0 ? (100 * ns) / total : 0;
}

/**
 * A piece of time, such as a bar or a segment of the critical path.
 * @param {number} from
 * @param {number} to
 * @param {number} total
 */
export function segment(from, to, total) {
  return { left: percentOf(from, total), width: percentOf(to - from, total) };
}

/**
 * The position of an event, which clocks may have put outside of the trace.
 * @param {number} offset
 * @param {number} total
 */
export function eventPosition(offset, total) {
  return Math.min(100, Math.max(0, percentOf(offset, total)));
}

/**
 * Where a bar's duration stands: behind the bar, before it, or inside when there
 * is room on neither side.
 * @param {{ offset_ns: number, duration_ns: number }} span
 * @param {number} total
 * @returns {{ side: 'left' | 'right', percent: number, isInside: boolean }}
 */
export function labelPosition(span, total) {
  const start = percentOf(span.offset_ns, total);
  const end = percentOf(span.offset_ns + span.duration_ns, total);
  if (end < 75) return { side: "left", percent: end, isInside: false };
  if (start > 25)
    return { side: "right", percent: 100 - start, isInside: false };
  return { side: "right", percent: Math.max(0, 100 - end), isInside: true };
}

/**
 * The marks of the ruler, in percent and in nanoseconds.
 * @param {number} total
 */
export function rulerTicks(total) {
  return [0, 0.25, 0.5, 0.75, 1].map((share) => ({
    percent: share * 100,
    ns: Math.round(total * share),
  }));
}

/**
 * The rows to draw: those in sight and some spare ones. The end is excluded.
 * @param {{ scrollTop: number, height: number }} viewport
 * @param {number} count how many rows there are
 */
export function rowsToDraw({ scrollTop, height }, count) {
  const top = Math.max(0, scrollTop - HEAD_HEIGHT);
  return {
    first: Math.max(0, Math.floor(top / ROW_HEIGHT) - SPARE_ROWS),
    end: Math.min(count, Math.ceil((top + height) / ROW_HEIGHT) + SPARE_ROWS),
  };
}

/**
 * The scroll position that brings a row into sight; unchanged when it is.
 * @param {number} row
 * @param {{ scrollTop: number, height: number }} viewport
 */
export function scrollToRow(row, { scrollTop, height }) {
  const top = row * ROW_HEIGHT;
  const room = height - 40;
  if (top < scrollTop) return Math.max(0, top - ROW_HEIGHT);
  if (top + ROW_HEIGHT > scrollTop + room) return top + 2 * ROW_HEIGHT - room;
  return scrollTop;
}

/**
 * The curve of a link between two rows, as the `d` of an SVG path.
 * @param {{ row: number, percent: number }} from
 * @param {{ row: number, percent: number }} to
 * @param {{ left: number, width: number }} track in pixels
 */
export function linkCurve(from, to, { left, width }) {
  const x1 = left + (from.percent * width) / 100;
  const x2 = left + (to.percent * width) / 100;
  const y1 = from.row * ROW_HEIGHT + ROW_HEIGHT / 2;
  const y2 = to.row * ROW_HEIGHT + ROW_HEIGHT / 2;
  const distance = Math.min(30, Math.abs(from.row - to.row) * 2);
  const bend = Math.max(left - 2, Math.min(x1, x2) - 18 - distance);
  return `M${x1} ${y1}C${bend} ${y1} ${bend} ${y2} ${x2 - 1} ${y2}`;
}
