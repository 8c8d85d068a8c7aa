// Lines of the map as the `d` of SVG paths.

/** @typedef {import('./graph-groups.js').Point} Point */
/** A line that is straight within layers. @typedef {{ start: Point, end: Point, stops: { at: Point, half: number }[], sign: number }} Course */

/** The length of an arrow's tip. */
export const TIP = 10;
const RADIUS = 8;

/**
 * A line along x from layer to layer. A stop is the middle of a layer and half
 * of its depth; the first and the last are the layers of the ends.
 * @param {Course} course
 * @param {(point: Point) => Point} turn
 */
export function courseLine({ start, end, stops, sign }, turn) {
  const write = (/** @type {number} */ x, /** @type {number} */ y) =>
    text(turn({ x, y }));
  let d = `M${write(start.x, start.y)}`;
  let from = start;
  for (const [number, { at, half }] of stops.entries()) {
    const enter = at.x - sign * half;
    if (number > 0) {
      const middle = (from.x + enter) / 2;
      d += `C${write(middle, from.y)} ${write(middle, at.y)} ${write(enter, at.y)}`;
    }
    const isLast = number === stops.length - 1;
    from = isLast ? end : { x: at.x + sign * half, y: at.y };
    d += `L${write(from.x, from.y)}`;
  }
  return d;
}

/** A line with rounded corners. @param {Point[]} points */
export function roundedLine(points) {
  const all = points.filter(
    ({ x, y }, at) =>
      at === 0 || x !== points[at - 1].x || y !== points[at - 1].y,
  );
  const last = all[all.length - 1];
  const corners = all.slice(1, -1).map((corner, at) => {
    const [before, after] = [all[at], all[at + 2]];
    const radius = Math.min(
      RADIUS,
      distance(before, corner) / 2,
      distance(corner, after) / 2,
    );
    const into = towards(corner, before, radius);
    return `L${text(into)}Q${text(corner)} ${text(towards(corner, after, radius))}`;
  });
  return `M${text(all[0])}${corners.join("")}L${text(last)}`;
}

/**
 * The tip of an arrow.
 * @param {Point} end
 * @param {Point} direction of length one
 * @param {number} stroke the width of the line
 */
export function arrowTip(end, { x, y }, stroke) {
  const side = 4 + stroke / 2;
  const back = { x: end.x - TIP * x, y: end.y - TIP * y };
  const one = { x: back.x - side * y, y: back.y + side * x };
  const other = { x: back.x + side * y, y: back.y - side * x };
  return `M${text(end)}L${text(one)}L${text(other)}z`;
}

/** @param {Point} one @param {Point} other */
function distance(one, other) {
  return Math.hypot(one.x - other.x, one.y - other.y);
}

/** @param {Point} from @param {Point} to @param {number} length */
function towards(from, to, length) {
  const share = length / (distance(from, to) || 1);
  return {
    x: from.x + (to.x - from.x) * share,
    y: from.y + (to.y - from.y) * share,
  };
}

/** @param {Point} point */
function text({ x, y }) {
  return `${Math.round(x * 10) / 10} ${Math.round(y * 10) / 10}`;
}
