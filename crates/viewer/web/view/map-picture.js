// The service map as a picture.

import { colourClass } from "../model/colour.js";
import { duration, errorPercentage, rate } from "../model/format.js";
import { NODE, edgeCurve, layOutGraph, pictureSize } from "../model/graph.js";
import { callAddress, nodeAddress } from "../model/route.js";
import { isBlank, isolate, truncate } from "../model/text.js";
import { texts } from "../texts.js";
import { svg } from "./dom.js";

/** @typedef {import('../types.d.ts').Graph} Graph */
/** @typedef {import('../types.d.ts').GraphNode} GraphNode */
/** @typedef {import('../types.d.ts').GraphEdge} GraphEdge */
/** @typedef {import('../model/graph.js').Point} Point */

/** @param {Graph} graph */
export function drawGraph(graph) {
  const positions = layOutGraph(graph);
  const { width, height } = pictureSize(positions);
  const nodes = new Map(graph.nodes.map((node) => [node.id, node]));
  const ends = (/** @type {string} */ id) => ({
    node: nodes.get(id),
    corner: positions.get(id),
  });
  return svg(
    "svg",
    { viewBox: `0 0 ${width} ${height}`, width, height },
    svg("defs", {}, arrowHead()),
    graph.edges.map((edge) =>
      drawEdge(edge, ends(edge.caller), ends(edge.callee)),
    ),
    graph.nodes.map((node) => drawNode(node, positions.get(node.id))),
  );
}

function arrowHead() {
  const properties = {
    id: "head",
    viewBox: "0 0 10 10",
    refX: 9,
    refY: 5,
    markerWidth: 10,
    markerHeight: 10,
    markerUnits: "userSpaceOnUse",
    orient: "auto",
  };
  return svg(
    "marker",
    properties,
    svg("path", { class: "tip", d: "M0 0L10 5L0 10z" }),
  );
}

/** @typedef {{ node: GraphNode | undefined, corner: Point | undefined }} End */

/** @param {GraphEdge} edge @param {End} from @param {End} to */
function drawEdge(edge, from, to) {
  if (!from.node || !to.node || !from.corner || !to.corner) return null;
  const { d, label } = edgeCurve(from.corner, to.corner);
  const [caller, callee] = [isolate(from.node.name), isolate(to.node.name)];
  const stats = `${rate(edge)} · p95 ${duration(edge.p95_ns)} · ✕ ${errorPercentage(edge)}`;
  return svg(
    "a",
    {
      class: `edge${edge.errors ? " failed" : ""}`,
      href: callAddress(edge, from.node, to.node),
      "aria-label": `${sentence(from.node, to.node)}: ${stats}`,
    },
    svg("title", {}, `${caller} → ${callee}: ${stats}`),
    svg("path", { class: "wide", d }),
    svg("path", { class: "thin", d, "marker-end": "url(#head)" }),
    edgeLabel(edge, label),
  );
}

/** @param {GraphNode} from @param {GraphNode} to */
function sentence(from, to) {
  const [caller, callee] = [isolate(from.name), isolate(to.name)];
  if (to.kind === "queue") return texts.map.sends(caller, callee);
  return from.kind === "queue"
    ? texts.map.reads(caller, callee)
    : texts.map.calls(caller, callee);
}

/** @param {GraphEdge} edge @param {Point} centre */
function edgeLabel(edge, { x, y }) {
  const text = `${rate(edge)} · p95 ${duration(edge.p95_ns)}`;
  const width = text.length * 6.6 + 10;
  return [
    svg("rect", {
      class: "plate",
      x: x - width / 2,
      y: y - 21,
      width,
      height: 36,
      rx: 6,
    }),
    svg("text", { class: "label", x, y: y - 7, "text-anchor": "middle" }, text),
    svg(
      "text",
      {
        class: edge.errors ? "label bad" : "label",
        x,
        y: y + 9,
        "text-anchor": "middle",
      },
      `✕ ${errorPercentage(edge)}`,
    ),
  ];
}

/** @param {GraphNode} node @param {Point | undefined} corner */
function drawNode(node, corner) {
  if (!corner) return null;
  const { name, kind } = node;
  const title = isBlank(name) ? isolate(name) : truncate(name, 22);
  const stats = `${rate(node)} · p95 ${duration(node.p95_ns)}${node.errors ? ` · ✕ ${errorPercentage(node)}` : ""}`;
  const what = kind === "service" ? "" : systemText(node);
  const link = {
    class: `node ${kind}${node.errors ? " failed" : ""}`,
    href: nodeAddress(node),
    transform: `translate(${corner.x} ${corner.y})`,
    "aria-label": [title, what, stats].filter(Boolean).join(", "),
  };
  const isDrum = kind === "database" || kind === "cache";
  const [first, second, third] = what ? [20, 37, 54] : [25, 46, 46];
  const down = isDrum ? 5 : 0;
  return svg(
    "a",
    link,
    outline(kind),
    kind === "service" && stripe(name),
    title !== name && svg("title", {}, isolate(name)),
    svg("text", { class: "title", x: 18, y: first + down }, title),
    // Lines of their own, when they are read.
    " ",
    what &&
      svg(
        "text",
        { class: "small", x: 18, y: second + down },
        truncate(what, 30),
      ),
    " ",
    svg("text", { class: "small", x: 18, y: third + down }, stats),
  );
}

/** What a node is, unless it is a service. @param {GraphNode} node */
function systemText({ kind, system }) {
  const what = texts.peers[kind];
  return system && system !== kind ? `${what} · ${system}` : what;
}

/** @param {string} service */
function stripe(service) {
  return svg("rect", {
    class: `stripe ${colourClass(service)}`,
    width: 7,
    height: NODE.height,
    rx: 3,
  });
}

// A store is a drum, a queue has round ends, and what is outside is dashed.
/** @param {GraphNode['kind']} kind */
function outline(kind) {
  const { width, height } = NODE;
  const shape = { class: "outline", width, height };
  if (kind === "queue") return svg("rect", { ...shape, rx: height / 2.6 });
  if (kind !== "database" && kind !== "cache")
    return svg("rect", { ...shape, rx: 9 });
  const [half, depth] = [width / 2, 7];
  const lid = `a${half} ${depth} 0 0 0 ${width} 0`;
  return svg("path", {
    class: "outline",
    d: `M0 0v${height}${lid}V0a${half} ${depth} 0 0 0 -${width} 0${lid}`,
  });
}
