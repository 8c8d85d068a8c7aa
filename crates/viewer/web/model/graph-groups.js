// Leaves of the map that stand together: many that only one node calls would
// make a column as long as their number, and as many lines.

/** @typedef {import('./graph-boxes.js').Size} Size */
/** @typedef {{ x: number, y: number }} Point */

/** So many leaves of a node stand in columns. */
const MIN_LEAVES = 7;
/** What is between leaves: lines run between the rows. */
const GAP = { x: 14, y: 26 };
/** Where the line to all of them runs, on the left. */
export const TRUNK = 12;
const LEFT = 2 * TRUNK;

/**
 * @typedef {object} Group
 * @property {string} caller
 * @property {string[]} leaves
 */

/**
 * The groups of a graph.
 * @param {string[]} ids of the nodes
 * @param {{ caller: string, callee: string }[]} edges
 * @returns {Group[]}
 */
export function leafGroups(ids, edges) {
  const callers = new Set(edges.map((edge) => edge.caller));
  /** @type {Map<string, string[]>} */
  const callersOf = new Map();
  for (const { caller, callee } of edges)
    callersOf.set(callee, [...(callersOf.get(callee) ?? []), caller]);
  /** @type {Map<string, string[]>} */
  const found = new Map();
  for (const id of ids) {
    const [caller, ...others] = callersOf.get(id) ?? [];
    if (caller === undefined || others.length > 0 || callers.has(id)) continue;
    found.set(caller, [...(found.get(caller) ?? []), id]);
  }
  return [...found]
    .map(([caller, leaves]) => ({ caller, leaves }))
    .filter(({ leaves }) => leaves.length >= MIN_LEAVES);
}

/**
 * Puts leaves into columns, no wider than `maxWidth` if that is possible.
 * @param {Size[]} sizes
 * @param {number} maxWidth
 */
export function gridOf(sizes, maxWidth) {
  const width = Math.max(...sizes.map((size) => size.width));
  const height = Math.max(...sizes.map((size) => size.height));
  const [column, row] = [width + GAP.x, height + GAP.y];
  const square = Math.round(Math.sqrt((sizes.length * row * 1.3) / column));
  const most = Math.floor((maxWidth - LEFT) / column);
  const columns = Math.max(1, Math.min(square, most));
  const rows = Math.ceil(sizes.length / columns);
  const corners = sizes.map((_, at) => ({
    x: LEFT + (at % columns) * column,
    y: GAP.y + Math.floor(at / columns) * row,
  }));
  return {
    leaf: { width, height },
    width: LEFT + columns * column - GAP.x,
    height: rows * row,
    corners,
  };
}

/**
 * The line from where it enters a group to the top of a leaf: along the trunk,
 * above the leaf's row, and down.
 * @param {Point} enter
 * @param {number} trunk
 * @param {Point & Size} leaf with its top left corner
 * @returns {Point[]}
 */
export function branch(enter, trunk, leaf) {
  const lane = leaf.y - GAP.y / 2;
  const middle = leaf.x + leaf.width / 2;
  return [
    enter,
    { x: trunk, y: enter.y },
    { x: trunk, y: lane },
    { x: middle, y: lane },
    { x: middle, y: leaf.y },
  ];
}
