// Where everything on the map is: nodes, leaves that stand together, lines, and
// their labels.

import { edgeKey } from "./graph-boxes.js";
import { TRUNK, branch, gridOf, leafGroups } from "./graph-groups.js";
import { TIP, roundedLine } from "./graph-lines.js";
import { routes } from "./graph-routes.js";
import { layered } from "./layered.js";

/** @typedef {import('./graph-boxes.js').Size} Size */
/** @typedef {import('./graph-groups.js').Point} Point */
/** @typedef {import('./layered.js').Rect} Rect */
/** @typedef {import('./layered.js').Box} Box */
/** The label is its centre; null for a leaf that stands with others and shares its line. @typedef {import('./graph-routes.js').Route & { label: Point | null }} Line */
/** Lines are by the key of their edge. @typedef {Size & { rects: Map<string, Rect>, lines: Map<string, Line> }} Layout */
/** @typedef {import('./graph-boxes.js').Shape} Shape */

/**
 * @param {Shape} shape
 * @returns {Layout}
 */
export function layOut({ nodes, edges, isUpright, maxWidth }) {
  const boxes = new Map(nodes.map((box) => [box.id, box]));
  const known = edges.filter(
    ({ caller, callee }) => boxes.has(caller) && boxes.has(callee),
  );
  const groups = leafGroups([...boxes.keys()], known).map(
    ({ caller, leaves }) => {
      const members = leaves.map((id) => /** @type {Box} */ (boxes.get(id)));
      return {
        id: freeId(`group:${caller}`, boxes),
        caller,
        leaves,
        ...gridOf(members, maxWidth),
      };
    },
  );
  const leaves = new Set(groups.flatMap((group) => group.leaves));
  const single = known.filter(({ callee }) => !leaves.has(callee));
  const { width, height, rects, ways } = layered(
    [...[...boxes.values()].filter(({ id }) => !leaves.has(id)), ...groups],
    [
      ...single.map(({ caller, callee, ...size }) => ({
        from: caller,
        to: callee,
        ...size,
      })),
      ...groups.map(({ id, caller }) => ({
        from: caller,
        to: id,
        width: 0,
        height: 0,
      })),
    ],
    isUpright,
  );
  const found = routes(ways, rects, isUpright);
  /** @type {Map<string, Line>} */
  const lines = new Map();
  single.forEach((edge, at) =>
    lines.set(edgeKey(edge), { ...found[at], label: ways[at].label }),
  );
  groups.forEach((group, at) => {
    const rect = /** @type {Rect} */ (rects.get(group.id));
    rects.delete(group.id);
    const trunk = found[single.length + at];
    group.leaves.forEach((id, number) => {
      const corner = group.corners[number];
      const leaf = {
        x: rect.x + corner.x,
        y: rect.y + corner.y,
        ...group.leaf,
      };
      rects.set(id, leaf);
      lines.set(
        edgeKey({ caller: group.caller, callee: id }),
        leafLine(trunk, rect, leaf),
      );
    });
  });
  return { width, height, rects, lines };
}

/**
 * An id that no node has.
 * @param {string} id
 * @param {Map<string, unknown>} boxes
 * @returns {string}
 */
function freeId(id, boxes) {
  return boxes.has(id) ? freeId(`${id}~`, boxes) : id;
}

/**
 * The line to a leaf that stands with others.
 * @param {import('./graph-routes.js').Route} trunk to the border of the group
 * @param {Rect} group
 * @param {Rect} leaf
 * @returns {Line}
 */
function leafLine(trunk, group, leaf) {
  const points = branch(trunk.end, group.x + TRUNK, leaf);
  const end = points[points.length - 1];
  const line = [...points.slice(0, -1), { x: end.x, y: end.y - TIP }];
  // It goes on where the trunk ends, behind what would be its tip.
  const rest = roundedLine(line).replace(/^M/, "L");
  return { d: trunk.d + rest, end, direction: { x: 0, y: 1 }, label: null };
}
