// The service map as a picture. Its elements stay while what they show is there,
// and so does the focus.

import { edgeKey } from "../model/graph-boxes.js";
import { errorGrade, lineWidth } from "../model/graph-figures.js";
import { svg } from "./dom.js";
import {
  callSentence,
  isCut,
  labelContent,
  lineContent,
  nodeClass,
  nodeContent,
  nodeName,
} from "./map-parts.js";

/** @typedef {import('../types.d.ts').Graph} Graph */
/** @typedef {import('../types.d.ts').GraphNode} GraphNode */
/** @typedef {import('../types.d.ts').GraphEdge} GraphEdge */
/** @typedef {import('../model/graph-boxes.js').Boxes} Boxes */
/** @typedef {import('../model/graph-layout.js').Layout} Layout */

/**
 * Where the parts of a map lead, and how it puts figures.
 * @typedef {object} MapStyle
 * @property {import('../model/graph-figures.js').Figures} figures
 * @property {(node: GraphNode) => string} nodeAddress
 * @property {(edge: GraphEdge, from: GraphNode, to: GraphNode) => string} edgeAddress
 * @property {(chosen: GraphNode | GraphEdge) => void} [onChoose] instead of following the address
 */

/** @typedef {{ shown: SVGAElement }} Drawn */

/** @param {MapStyle} style */
export function mapPicture(style) {
  const lines = svg("g", { class: "lines", "aria-hidden": "true" });
  const nodes = svg("g", {});
  const labels = svg("g", {});
  const element = svg("g", {}, lines, nodes, labels);
  const links = linkKeeper(style.onChoose);

  /**
   * @param {Graph} graph
   * @param {Boxes} boxes
   * @param {Layout} layout
   * @param {boolean} isUpright from top to bottom
   */
  function show(graph, boxes, layout, isUpright) {
    showNodes(graph, boxes, layout, isUpright);
    showEdges(graph, boxes, layout);
    links.dropOthers();
  }

  /** @type {typeof show} */
  function showNodes(graph, boxes, layout, isUpright) {
    const drawn = graph.nodes.flatMap((node) => {
      const [box, rect] = [boxes.nodes.get(node.id), layout.rects.get(node.id)];
      if (!box || !rect) return [];
      const shown = links.get(`node ${node.id}`, node, {
        class: nodeClass(node),
        href: style.nodeAddress(node),
        // What is shown, and the whole name where that is cut.
        "aria-label": (isCut(box.lines)
          ? [nodeName(node), ...box.lines]
          : box.lines
        ).join(", "),
        "data-id": node.id,
        transform: `translate(${rect.x} ${rect.y})`,
      });
      const differs = [box.lines, rect.width, rect.height];
      setContent(shown, differs, () => nodeContent(node, box, rect));
      return [{ ...rect, shown }];
    });
    // In reading order: layer by layer.
    drawn.sort((one, other) => {
      const [right, down] = [one.x - other.x, one.y - other.y];
      return isUpright ? down || right : right || down;
    });
    order(nodes, drawn);
  }

  /** @type {(graph: Graph, boxes: Boxes, layout: Layout) => void} */
  function showEdges(graph, boxes, layout) {
    const byId = new Map(graph.nodes.map((node) => [node.id, node]));
    /** @type {Drawn[]} */
    const drawnLines = [];
    /** @type {Drawn[]} */
    const drawnLabels = [];
    // What fails is drawn above the rest.
    const sorted = [...graph.edges].sort(
      (one, other) => errorGrade(one) - errorGrade(other),
    );
    for (const edge of sorted) {
      const key = edgeKey(edge);
      const [from, to] = [byId.get(edge.caller), byId.get(edge.callee)];
      const [box, line] = [boxes.edges.get(key), layout.lines.get(key)];
      if (!from || !to || !box || !line) continue;
      const text = `${callSentence(from, to)}: ${box.lines.join(", ")}`;
      const grade = `grade${errorGrade(edge)}`;
      const address = {
        href: style.edgeAddress(edge, from, to),
        "data-edge": key,
      };
      const stroke = lineWidth(edge);
      const shown = links.get(`line ${key}`, edge, {
        class: `line ${grade}${line.label === null ? " shared" : ""}`,
        ...address,
      });
      setContent(shown, [line.d, stroke, text], () =>
        lineContent(line, stroke, text),
      );
      drawnLines.push({ shown });
      const { label } = line;
      if (label === null) continue;
      const named = links.get(`edge ${key}`, edge, {
        class: `edge ${grade}`,
        "aria-label": text,
        ...address,
      });
      setContent(named, [box.lines, box.width, label], () =>
        labelContent(box, label),
      );
      drawnLabels.push({ shown: named });
    }
    order(lines, drawnLines);
    order(labels, drawnLabels);
  }

  return {
    element,
    show,
    /** The links of nodes, in reading order. */
    nodes: () => childLinks(nodes),
    /** The links of calls that have a label. */
    edges: () => childLinks(labels),
    lines: () => childLinks(lines),
  };
}

/**
 * Keeps links by key from one update to the next.
 * @param {MapStyle['onChoose']} onChoose
 */
function linkKeeper(onChoose) {
  /** @type {Map<string, SVGAElement>} */
  let earlier = new Map();
  /** @type {Map<string, SVGAElement>} */
  let used = new Map();
  return {
    /**
     * @param {string} key
     * @param {GraphNode | GraphEdge} part
     * @param {Record<string, string>} properties
     */
    get(key, part, properties) {
      const link = earlier.get(key) ?? svg("a", { tabindex: "-1" });
      used.set(key, link);
      for (const [name, value] of Object.entries(properties))
        if (link.getAttribute(name) !== value) link.setAttribute(name, value);
      link.onclick = (event) => {
        // In a tab of its own the address is followed.
        if (!onChoose || event.ctrlKey || event.metaKey || event.shiftKey)
          return;
        event.preventDefault();
        onChoose(part);
      };
      return link;
    },
    dropOthers() {
      for (const [key, link] of earlier) if (!used.has(key)) link.remove();
      [earlier, used] = [used, new Map()];
    },
  };
}

/** What an element shows now. @type {WeakMap<Element, string>} */
const contents = new WeakMap();

/**
 * @param {Element} element
 * @param {unknown} content what it differs by
 * @param {() => import('../types.d.ts').Child[]} create
 */
function setContent(element, content, create) {
  const text = JSON.stringify(content);
  if (contents.get(element) === text) return;
  contents.set(element, text);
  element.replaceChildren(svg("g", {}, create()));
}

// An element that is moved would lose the focus.
/** @param {Element} parent @param {Drawn[]} drawn */
function order(parent, drawn) {
  const isSame =
    parent.childElementCount === drawn.length &&
    drawn.every(({ shown }, at) => parent.children[at] === shown);
  if (!isSame) parent.replaceChildren(...drawn.map(({ shown }) => shown));
}

/** @param {Element} parent */
function childLinks(parent) {
  return /** @type {SVGAElement[]} */ ([...parent.children]);
}
