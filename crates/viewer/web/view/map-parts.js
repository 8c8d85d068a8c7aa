// What a node, a line and a label of the map consist of.

import { colourClass } from "../model/colour.js";
import { lidRoom, systemText } from "../model/graph-boxes.js";
import { arrowTip } from "../model/graph-lines.js";
import { isolate } from "../model/text.js";
import { texts } from "../texts.js";
import { svg } from "./dom.js";
import { outline } from "./map-shapes.js";

/** @typedef {import('../types.d.ts').GraphNode} GraphNode */
/** @typedef {import('../model/graph-boxes.js').Box} Box */
/** @typedef {import('../model/graph-boxes.js').Size} Size */

/** The height of a line of text; model/graph-boxes.js has it too. */
const LINE = 16;
/** Lines are words of their own when they are read. */
const BETWEEN = " ";
/** Texts begin beside the stripe. */
const LEFT = 18;

/** @param {GraphNode} node */
export function nodeClass({ kind, name, errors }) {
  const colour = kind === "service" ? ` ${colourClass(name)}` : "";
  return `node ${kind}${colour}${errors > 0 ? " failed" : ""}`;
}

/** The name of a node and what it is. @param {GraphNode} node */
export function nodeName(node) {
  const what = systemText(node);
  return isolate(node.name) + (what && `, ${isolate(what)}`);
}

/** Whether there is no room for the whole name. @param {string[]} lines of a node */
export function isCut([title]) {
  return title.endsWith("…");
}

/** @param {GraphNode} node @param {Box} box @param {Size} size */
export function nodeContent(node, { lines }, size) {
  const room = size.height + lidRoom(node.kind) - lines.length * LINE;
  const top = room / 2 + 12;
  return [
    isCut(lines) && [svg("title", {}, nodeName(node)), BETWEEN],
    outline(node.kind, size),
    node.kind === "service" && stripe(size.height),
    lines.map((line, at) => [
      svg(
        "text",
        { class: at === 0 ? "title" : "small", x: LEFT, y: top + at * LINE },
        line,
      ),
      BETWEEN,
    ]),
  ];
}

/** The colour of a service. @param {number} height */
export function stripe(height) {
  return svg("rect", { class: "stripe", width: 7, height, rx: 3 });
}

/**
 * @param {import('../model/graph-routes.js').Route} route
 * @param {number} stroke
 * @param {string} title
 */
export function lineContent({ d, end, direction }, stroke, title) {
  return [
    svg("title", {}, title),
    svg("path", { class: "wide", d }),
    svg("path", { class: "thin", d, "stroke-width": stroke }),
    svg("path", { class: "tip", d: arrowTip(end, direction, stroke) }),
  ];
}

/**
 * @param {Box} box
 * @param {import('../model/graph-groups.js').Point} centre
 */
export function labelContent({ lines, width, height }, { x, y }) {
  const plate = { x: x - width / 2, y: y - height / 2, width, height, rx: 5 };
  return [
    svg("rect", { class: "plate", ...plate }),
    lines.map((line, at) => [
      svg(
        "text",
        {
          class: "label",
          x,
          y: plate.y + 14 + at * (LINE - 1),
          "text-anchor": "middle",
        },
        line,
      ),
      BETWEEN,
    ]),
  ];
}

/** What a caller and a callee have to do with each other. @param {GraphNode} from @param {GraphNode} to */
export function callSentence(from, to) {
  const [caller, callee] = [isolate(from.name), isolate(to.name)];
  if (to.kind === "queue") return texts.map.sends(caller, callee);
  return from.kind === "queue"
    ? texts.map.reads(caller, callee)
    : texts.map.calls(caller, callee);
}

/** How wide texts are in the fonts of style/map.css. @returns {import('../model/graph-boxes.js').Measure} */
export function textMeasure() {
  const context = document.createElement("canvas").getContext("2d");
  return (text, isTitle) => {
    if (!context) return text.length * 8;
    context.font = isTitle ? "600 14px system-ui" : "12.5px system-ui";
    return context.measureText(text).width;
  };
}
