// The service map: a picture of who calls whom, and the same as a table.

import { getGraph } from "../api.js";
import { colourClass } from "../model/colour.js";
import { count, duration, errorPercentage, rate } from "../model/format.js";
import { NODE, edgeCurve, layOutGraph, pictureSize } from "../model/graph.js";
import { callAddress } from "../model/route.js";
import { isBlank, isolate, truncate } from "../model/text.js";
import { announce, el, svg, toMessage, untrusted } from "./dom.js";

/** @typedef {import('../types.d.ts').Graph} Graph */
/** @typedef {import('../types.d.ts').GraphNode} GraphNode */
/** @typedef {import('../types.d.ts').GraphEdge} GraphEdge */
/** @typedef {import('../model/graph.js').Point} Point */

const POLL = 3000;

/** @type {import('../types.d.ts').OpenView} */
export function mapView(main) {
  let isDisposed = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let drawn = "";
  const state = el("p", { class: "empty" }, "Loading…");
  const picture = el("div", {
    class: "picture",
    tabindex: "0",
    role: "group",
    "aria-label": "Service graph",
  });
  const facts = el("p", { class: "facts" });
  const table = el("table", { class: "edges" });
  main.replaceChildren(
    el(
      "section",
      { class: "map" },
      el("h1", {}, "Who calls whom"),
      facts,
      state,
      picture,
      table,
    ),
  );
  document.title = "Map · Tracing-Tail";
  poll();

  async function poll() {
    try {
      const graph = await getGraph();
      if (isDisposed) return;
      const text = JSON.stringify(graph);
      if (text !== drawn) draw(graph);
      drawn = text;
    } catch (error) {
      announce(error);
      state.hidden = false;
      state.textContent = toMessage(error);
    }
    if (!isDisposed) timer = setTimeout(poll, POLL);
  }

  /** @param {Graph} graph */
  function draw(graph) {
    const isEmpty = graph.nodes.length === 0;
    state.hidden = !isEmpty;
    state.textContent = "No traces yet.";
    facts.textContent = isEmpty ? "" : describe(graph);
    picture.replaceChildren(...(isEmpty ? [] : [drawGraph(graph)]));
    table.replaceChildren(
      ...(graph.edges.length > 0 ? callTable(graph.edges) : []),
    );
  }

  return {
    dispose() {
      isDisposed = true;
      clearTimeout(timer);
    },
  };
}

/** @param {Graph} graph */
function describe({ traces, seconds }) {
  return (
    `From the newest ${count(traces, "trace")}, over ${duration(seconds * 1e9)}. ` +
    "Choose a service or a call to see its traces."
  );
}

/** @param {Graph} graph */
function drawGraph(graph) {
  const positions = layOutGraph(graph);
  const { width, height } = pictureSize(positions);
  return svg(
    "svg",
    { viewBox: `0 0 ${width} ${height}`, width, height },
    svg("defs", {}, arrowHead()),
    graph.edges.map((edge) =>
      drawEdge(edge, positions.get(edge.caller), positions.get(edge.callee)),
    ),
    graph.nodes.map((node) => drawNode(node, positions.get(node.service))),
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

/** @param {GraphEdge} edge @param {Point | undefined} from @param {Point | undefined} to */
function drawEdge(edge, from, to) {
  if (!from || !to) return null;
  const { d, label } = edgeCurve(from, to);
  const [caller, callee] = [isolate(edge.caller), isolate(edge.callee)];
  const stats = `${rate(edge)} · ✕ ${errorPercentage(edge)} · p95 ${duration(edge.p95_ns)}`;
  return svg(
    "a",
    {
      class: `edge${edge.errors ? " failed" : ""}`,
      href: callAddress(edge),
      "aria-label": `${caller} calls ${callee}: ${stats}`,
    },
    svg("title", {}, `${caller} → ${callee}: ${stats}`),
    svg("path", { class: "wide", d }),
    svg("path", { class: "thin", d, "marker-end": "url(#head)" }),
    edgeLabel(edge, label),
  );
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
  const { service } = node;
  const name = isBlank(service) ? isolate(service) : truncate(service, 22);
  const stats = `${rate(node)} · p95 ${duration(node.p95_ns)}${node.errors ? ` · ✕ ${errorPercentage(node)}` : ""}`;
  const link = {
    class: `node${node.errors ? " failed" : ""}`,
    href: `#/?service=${encodeURIComponent(service)}`,
    transform: `translate(${corner.x} ${corner.y})`,
    "aria-label": `${isolate(service)}: ${rate(node)}, ${errorPercentage(node)} errors, p95 ${duration(node.p95_ns)}`,
  };
  return svg(
    "a",
    link,
    svg("rect", { ...NODE, rx: 9 }),
    svg("rect", {
      class: `stripe ${colourClass(service)}`,
      width: 7,
      height: NODE.height,
      rx: 3,
    }),
    svg("title", {}, isolate(service)),
    svg("text", { class: "title", x: 18, y: 25 }, name),
    svg("text", { class: "small", x: 18, y: 46 }, stats),
  );
}

/** @param {GraphEdge[]} edges */
function callTable(edges) {
  const columns = [
    "From",
    "To",
    "Calls",
    "Rate",
    "Errors",
    "p50",
    "p95",
    "p99",
  ];
  return [
    el("caption", {}, "Calls"),
    el(
      "thead",
      {},
      el(
        "tr",
        {},
        columns.map((name) => el("th", { scope: "col" }, name)),
      ),
    ),
    el(
      "tbody",
      {},
      edges.map((edge) =>
        el(
          "tr",
          {},
          el("td", {}, untrusted(edge.caller)),
          el(
            "td",
            {},
            el("a", { href: callAddress(edge) }, untrusted(edge.callee)),
          ),
          el("td", {}, edge.count.toLocaleString("en")),
          el("td", {}, rate(edge)),
          el("td", { class: edge.errors ? "bad" : "" }, errorPercentage(edge)),
          [edge.p50_ns, edge.p95_ns, edge.p99_ns].map((ns) =>
            el("td", {}, duration(ns)),
          ),
        ),
      ),
    ),
  ];
}
