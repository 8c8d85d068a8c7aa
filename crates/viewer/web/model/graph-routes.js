// The lines of the map between its layers. A line bends only between layers and
// is straight within them, so that it crosses neither nodes nor labels.

import { TIP, courseLine, roundedLine } from "./graph-lines.js";

/** @typedef {import('./graph-groups.js').Point} Point */
/** @typedef {import('./graph-boxes.js').Size} Size */
/** @typedef {import('./layered.js').Rect} Rect */
/** @typedef {import('./layered.js').Way} Way */
/** A box by its middle. @typedef {Point & Size} Middle */
/** A line up to where its tip begins; the tip ends at `end`. @typedef {{ d: string, end: Point, direction: Point }} Route */

/** Lines at one side of a node are so far apart, if there is room. */
const PORT_GAP = 14;
const PORT_ROOM = 22;

/**
 * The routes of the ways, in their order.
 * @param {Way[]} ways
 * @param {Map<string, Rect>} rects
 * @param {boolean} isUpright
 * @returns {Route[]}
 */
export function routes(ways, rects, isUpright) {
  // From here on layers follow each other along x.
  const turn = isUpright ? swap : same;
  const boxes = new Map(
    [...rects].map(([id, rect]) => [id, middleOf(rect, turn)]),
  );
  const labels = ways.map(({ arc, label }) =>
    middleOf(
      { ...arc, x: label.x - arc.width / 2, y: label.y - arc.height / 2 },
      turn,
    ),
  );
  const halves = halvesOfLayers([...boxes.values(), ...labels]);
  const ports = portsOf(ways, boxes, turn);
  return ways.map(({ arc, points }, at) => {
    const [from, to] = [boxOf(boxes, arc.from), boxOf(boxes, arc.to)];
    if (from === to) return selfRoute(from, labels[at], turn);
    const { sign, start, end } = ports[at];
    const inner = points.slice(1, -1).map((point) => turn(point));
    const stops = [{ x: from.x, y: start }, ...inner, { x: to.x, y: end }].map(
      (middle) => ({ at: middle, half: halves.get(Math.round(middle.x)) ?? 0 }),
    );
    stops[stops.length - 1].half += TIP;
    const border = { x: to.x - (sign * to.width) / 2, y: end };
    const course = {
      start: { x: from.x + (sign * from.width) / 2, y: start },
      end: { x: border.x - sign * TIP, y: end },
      stops,
      sign,
    };
    return {
      d: courseLine(course, turn),
      end: turn(border),
      direction: turn({ x: sign, y: 0 }),
    };
  });
}

/** @param {Point} point */
function swap({ x, y }) {
  return { x: y, y: x };
}

/** @param {Point} point */
function same(point) {
  return point;
}

/**
 * @param {Rect} rect
 * @param {(point: Point) => Point} turn
 * @returns {Middle}
 */
function middleOf({ x, y, width, height }, turn) {
  const middle = turn({ x: x + width / 2, y: y + height / 2 });
  const size = turn({ x: width, y: height });
  return { ...middle, width: size.x, height: size.y };
}

/** @param {Map<string, Middle>} boxes @param {string} id */
function boxOf(boxes, id) {
  return /** @type {Middle} */ (boxes.get(id));
}

/** Half of the depth of each layer, by its middle. @param {Middle[]} all */
function halvesOfLayers(all) {
  /** @type {Map<number, number>} */
  const halves = new Map();
  for (const { x, width } of all) {
    const layer = Math.round(x);
    halves.set(layer, Math.max(halves.get(layer) ?? 0, width / 2));
  }
  return halves;
}

// Where lines leave and reach the sides of nodes: side by side, in the order in
// which they come, so that they do not cross there.
/**
 * @param {Way[]} ways
 * @param {Map<string, Middle>} boxes
 * @param {(point: Point) => Point} turn
 */
function portsOf(ways, boxes, turn) {
  /** @type {Map<string, { side: Middle, next: number, set: (y: number) => void }[]>} */
  const sides = new Map();
  const ports = ways.map(({ arc, points }) => {
    const [from, to] = [boxOf(boxes, arc.from), boxOf(boxes, arc.to)];
    const sign = to.x < from.x ? -1 : 1;
    const port = { sign, start: from.y, end: to.y };
    const [first, last] = [points[1], points[points.length - 2]].map((point) =>
      turn(point),
    );
    const add = (
      /** @type {string} */ key,
      /** @type {Middle} */ side,
      /** @type {number} */ next,
      /** @type {(y: number) => void} */ set,
    ) => sides.set(key, [...(sides.get(key) ?? []), { side, next, set }]);
    if (from !== to) {
      add(`${sign} ${arc.from}`, from, first.y, (y) => (port.start = y));
      add(`${-sign} ${arc.to}`, to, last.y, (y) => (port.end = y));
    }
    return port;
  });
  for (const all of sides.values()) {
    const { side } = all[0];
    const gap = Math.min(
      PORT_GAP,
      (side.height - PORT_ROOM) / Math.max(1, all.length - 1),
    );
    all.sort((one, other) => one.next - other.next);
    all.forEach(({ set }, at) =>
      set(side.y + (at - (all.length - 1) / 2) * gap),
    );
  }
  return ports;
}

/**
 * A call of a node to itself, around its label.
 * @param {Middle} box
 * @param {Middle} label
 * @param {(point: Point) => Point} turn
 * @returns {Route}
 */
function selfRoute(box, label, turn) {
  const reach = Math.min(box.width / 2 - 8, label.width / 2 + 8);
  const border = box.y + box.height / 2;
  const corners = [
    { x: box.x + reach, y: border },
    { x: box.x + reach, y: label.y },
    { x: box.x - reach, y: label.y },
    { x: box.x - reach, y: border + TIP },
  ];
  return {
    d: roundedLine(corners.map((corner) => turn(corner))),
    end: turn({ x: box.x - reach, y: border }),
    direction: turn({ x: 0, y: -1 }),
  };
}
