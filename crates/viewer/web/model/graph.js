// Lays out the service map: columns by distance from where requests enter.

/** @typedef {import('../types.d.ts').Graph} Graph */
/** @typedef {{ x: number, y: number }} Point */

export const NODE = { width: 216, height: 62 };
const COLUMN = 420;
const ROW = 132;

/**
 * The top left corner of each node.
 * @param {Graph} graph
 * @returns {Map<string, Point>}
 */
export function layOutGraph(graph) {
  const columns = assignColumns(graph);
  /** @type {number[]} */
  const filled = [];
  const cells = [...columns].map(([id, column]) => {
    const row = filled[column] ?? 0;
    filled[column] = row + 1;
    return { id, column, row };
  });
  const tallest = Math.max(...filled, 1);
  return new Map(
    cells.map(({ id, column, row }) => {
      const centred = ((tallest - filled[column]) * ROW) / 2;
      return [id, { x: 30 + column * COLUMN, y: 40 + row * ROW + centred }];
    }),
  );
}

// Each node is one column after the first caller that reaches it. A cycle
// ends at a node that has its column already.
/** @param {Graph} graph @returns {Map<string, number>} */
function assignColumns(graph) {
  const names = graph.nodes.map((node) => node.id);
  /** @type {Map<string, string[]>} */
  const callees = new Map(names.map((name) => [name, []]));
  const called = new Set();
  for (const { caller, callee } of graph.edges) {
    if (caller === callee) continue;
    callees.get(caller)?.push(callee);
    called.add(callee);
  }
  const entries = names.filter((name) => !called.has(name));
  /** @type {Map<string, number>} */
  const columns = new Map();
  for (const start of [
    entries.length > 0 ? entries : names.slice(0, 1),
    ...names.map((name) => [name]),
  ]) {
    let layer = start.filter((name) => !columns.has(name));
    for (let column = 0; layer.length > 0; column++) {
      for (const name of layer) columns.set(name, column);
      const next = new Set(layer.flatMap((name) => callees.get(name) ?? []));
      layer = [...next].filter((name) => !columns.has(name));
    }
  }
  return columns;
}

/** The size of the picture. @param {Map<string, Point>} nodes */
export function pictureSize(nodes) {
  const points = [...nodes.values()];
  return {
    width: Math.max(...points.map((point) => point.x), 0) + NODE.width + 90,
    height: Math.max(...points.map((point) => point.y), 0) + NODE.height + 60,
  };
}

/**
 * The curve of a call as the `d` of an SVG path, and the centre of its label.
 * @param {Point} from the caller's node
 * @param {Point} to the callee's; the same for a call to itself
 * @returns {{ d: string, label: Point }}
 */
export function edgeCurve(from, to) {
  if (from === to) return selfCurve(from);
  return to.x <= from.x ? backwardCurve(from, to) : forwardCurve(from, to);
}

/** @param {Point} node */
function selfCurve({ x, y }) {
  const [x1, x2] = [x + 50, x + 120];
  return {
    d: `M${x1} ${y}C${x1} ${y - 44} ${x2} ${y - 44} ${x2} ${y}`,
    label: { x: (x1 + x2) / 2, y: y - 36 },
  };
}

/** @param {Point} from @param {Point} to */
function backwardCurve(from, to) {
  const [x1, y1] = [from.x + NODE.width / 2, from.y + NODE.height];
  const [x2, y2] = [to.x + NODE.width / 2, to.y + NODE.height];
  return {
    d: `M${x1} ${y1}C${x1} ${y1 + 50} ${x2} ${y2 + 50} ${x2} ${y2}`,
    label: { x: (x1 + x2) / 2, y: (y1 + y2) / 2 + 42 },
  };
}

/** @param {Point} from @param {Point} to */
function forwardCurve(from, to) {
  const [x1, y1] = [from.x + NODE.width, from.y + NODE.height / 2];
  const [x2, y2] = [to.x - 2, to.y + NODE.height / 2];
  // Nearer to the callee, where the curves from one caller have parted.
  const share = 0.58;
  const label = {
    x: x1 + (x2 - x1) * share,
    y: y1 + (y2 - y1) * (share * share * (3 - 2 * share)),
  };
  return {
    d: `M${x1} ${y1}C${x1 + 60} ${y1} ${x2 - 60} ${y2} ${x2} ${y2}`,
    label,
  };
}
