// The texts of the map and how much room they take, before it is laid out.

import { texts } from "../texts.js";
import { failures } from "./graph-figures.js";
import { isBlank, isolate, truncateToFit } from "./text.js";

/** @typedef {import('../types.d.ts').GraphNode} GraphNode */
/** @typedef {import('../types.d.ts').GraphEdge} GraphEdge */
/** @typedef {import('./graph-figures.js').Figures} Figures */
/** @typedef {import('../types.d.ts').Graph} Graph */
/** The width of a text in pixels. @typedef {(text: string, isTitle: boolean) => number} Measure */
/** @typedef {{ width: number, height: number }} Size */
/** @typedef {Size & { lines: string[] }} Box the first line of a node is its title */

/** The widest line of a node. */
const MAX_LINE = 210;
/** Lines are this high; a title is a little higher. */
const LINE = 16;
/** What is beside and above the lines. */
const NODE_ROOM = { width: 36, height: 16 };
const EDGE_ROOM = { width: 12, height: 4 };
/** Room for usual figures. */
const MIN_NODE = 96;
const MIN_LABEL = 72;
/** Widths grow in steps, so that not every figure moves the map. */
const STEP = 12;

/** What tells edges apart. @param {{ caller: string, callee: string }} edge */
export function edgeKey({ caller, callee }) {
  return JSON.stringify([caller, callee]);
}

/** @typedef {{ nodes: Map<string, Box>, edges: Map<string, Box> }} Boxes by id, and by key */

/**
 * The boxes of a graph. What has room keeps it, so that figures that come and go
 * do not move the map.
 * @param {Graph} graph
 * @param {Figures} figures
 * @param {Measure} measure
 * @param {Boxes} [earlier]
 * @returns {Boxes}
 */
export function boxesOf({ nodes, edges }, figures, measure, earlier) {
  const keep = (
    /** @type {Box | undefined} */ one,
    /** @type {Box} */ box,
  ) => ({
    lines: box.lines,
    width: Math.max(one?.width ?? 0, box.width),
    height: Math.max(one?.height ?? 0, box.height),
  });
  return {
    nodes: new Map(
      nodes.map((node) => {
        const box = nodeBox(node, figures, measure);
        return [node.id, keep(earlier?.nodes.get(node.id), box)];
      }),
    ),
    edges: new Map(
      edges.map((edge) => {
        const key = edgeKey(edge);
        const box = edgeBox(edge, figures, measure);
        return [key, keep(earlier?.edges.get(key), box)];
      }),
    ),
  };
}

/**
 * What a map is laid out from.
 * @typedef {object} Shape
 * @property {(Size & { id: string })[]} nodes
 * @property {(Size & { caller: string, callee: string })[]} edges with the sizes of their labels
 * @property {boolean} isUpright from top to bottom, where there is little width
 * @property {number} maxWidth of leaves that stand together
 */

/** Narrower maps go from top to bottom. */
const NARROW = 640;
/** Few changes of the width lay a map out anew. */
const WIDTH_STEP = 120;

/**
 * The shape of a graph: the same in whatever order it comes.
 * @param {Graph} graph
 * @param {Boxes} boxes
 * @param {number} width that there is for it
 * @returns {Shape}
 */
export function shapeOf(graph, boxes, width) {
  const isUpright = width < NARROW;
  const room = Math.max(300, Math.ceil(width / WIDTH_STEP) * WIDTH_STEP);
  const byText = (/** @type {string} */ one, /** @type {string} */ other) =>
    one < other ? -1 : 1;
  const sizeOf = (/** @type {Box | undefined} */ box) => ({
    width: box?.width ?? 0,
    height: box?.height ?? 0,
  });
  return {
    nodes: graph.nodes
      .map(({ id }) => ({ id, ...sizeOf(boxes.nodes.get(id)) }))
      .sort((one, other) => byText(one.id, other.id)),
    edges: graph.edges
      .map(({ caller, callee }) => {
        const box = boxes.edges.get(edgeKey({ caller, callee }));
        return { caller, callee, ...sizeOf(box) };
      })
      .sort((one, other) => byText(edgeKey(one), edgeKey(other))),
    isUpright,
    // A little of it may be out of sight, rather than a long column.
    maxWidth: isUpright ? room * 1.3 : room * 0.8,
  };
}

/**
 * The texts of a node, cut to what fits, and its size.
 * @param {GraphNode} node
 * @param {Figures} figures
 * @param {Measure} measure
 * @returns {Box}
 */
export function nodeBox(node, figures, measure) {
  const fit = (/** @type {string} */ text, /** @type {boolean} */ isTitle) =>
    truncateToFit(text, (part) => measure(part, isTitle) <= MAX_LINE);
  const title = isBlank(node.name) ? isolate(node.name) : fit(node.name, true);
  const what = systemText(node);
  const volume = node.count > 0 ? figures.volume(node) : "";
  const time = node.count > 0 ? figures.time(node) : "";
  const stats = [volume, time, failures(node)].filter(Boolean).join(" · ");
  const lines = [title, ...(what ? [fit(what, false)] : []), stats];
  const widths = lines.map((line, at) => measure(line, at === 0));
  return {
    lines,
    width: inSteps(Math.max(MIN_NODE, ...widths)) + NODE_ROOM.width,
    height: lines.length * LINE + NODE_ROOM.height + lidRoom(node.kind),
  };
}

/**
 * The label of a call, and its size.
 * @param {GraphEdge} edge
 * @param {Figures} figures
 * @param {Measure} measure
 * @returns {Box}
 */
export function edgeBox(edge, figures, measure) {
  const volume = [figures.volume(edge), failures(edge)];
  const lines = [volume.filter(Boolean).join(" "), figures.time(edge)];
  const widths = lines.map((line) => measure(line, false));
  return {
    lines,
    width: inSteps(Math.max(MIN_LABEL, ...widths)) + EDGE_ROOM.width,
    height: lines.length * (LINE - 1) + EDGE_ROOM.height,
  };
}

/** What a node is, unless it is a service. @param {GraphNode} node */
export function systemText({ kind, system }) {
  if (kind === "service") return "";
  const what = texts.peers[kind];
  return system && system !== kind ? `${what} · ${system}` : what;
}

/** What the lids of a drum take. @param {GraphNode['kind']} kind */
export function lidRoom(kind) {
  if (kind === "cache") return 14;
  return kind === "database" ? 10 : 0;
}

/** @param {number} width */
function inSteps(width) {
  return Math.ceil(width / STEP) * STEP;
}
