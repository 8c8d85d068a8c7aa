// Puts boxes into layers, by dagre. A label has a layer between those of its
// ends, so that nothing else can be there.

import { Graph, layout } from "../vendor/dagre/dagre.esm.js";

/** @typedef {import('./graph-boxes.js').Size} Size */
/** @typedef {import('./graph-groups.js').Point} Point */
/** With its top left corner. @typedef {Point & Size} Rect */
/** A box. @typedef {Size & { id: string }} Box */
/** A line between two boxes, with the size of its label. @typedef {Size & { from: string, to: string }} Arc */
/** The points on the way of a line, and the centre of its label. @typedef {{ arc: Arc, points: Point[], label: Point }} Way */

const MARGIN = 14;

/**
 * @param {Box[]} boxes
 * @param {Arc[]} arcs at most one from one box to another
 * @param {boolean} isUpright from top to bottom
 * @returns {Size & { rects: Map<string, Rect>, ways: Way[] }}
 */
export function layered(boxes, arcs, isUpright) {
  const graph = new Graph();
  graph.setGraph({
    rankdir: isUpright ? "TB" : "LR",
    nodesep: 20,
    edgesep: 14,
    ranksep: 70 + Math.min(70, arcs.length),
    marginx: MARGIN,
    marginy: MARGIN,
  });
  // Names of its own: that of a service may mean something to objects.
  const names = new Map(boxes.map(({ id }, at) => [id, `n${at}`]));
  const nameOf = (/** @type {string} */ id) => String(names.get(id));
  for (const { id, width, height } of boxes)
    graph.setNode(nameOf(id), { width, height });
  for (const { from, to, width, height } of arcs)
    graph.setEdge(nameOf(from), nameOf(to), { width, height, labelpos: "c" });
  layout(graph);
  const rects = boxes.map(({ id, width, height }) => {
    const { x, y } = graph.node(nameOf(id));
    const rect = { x: x - width / 2, y: y - height / 2, width, height };
    return /** @type {const} */ ([id, rect]);
  });
  const ways = arcs.map((arc) => {
    const {
      points,
      x = 0,
      y = 0,
    } = graph.edge(nameOf(arc.from), nameOf(arc.to));
    return { arc, points, label: { x, y } };
  });
  const { width = 0, height = 0 } = graph.graph();
  return { width, height, rects: new Map(rects), ways };
}
