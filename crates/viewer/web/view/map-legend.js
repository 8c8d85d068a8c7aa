// What is drawn on a map, and its keys.

import { lineWidth } from "../model/graph-figures.js";
import { arrowTip } from "../model/graph-lines.js";
import { svg } from "./dom.js";
import { legendBox } from "./legend.js";
import { stripe } from "./map-parts.js";
import { outline } from "./map-shapes.js";

/** @type {[import('../types.d.ts').GraphNode['kind'], string][]} */
const SHAPES = [
  ["service", "a service, in its colour"],
  ["database", "a database"],
  ["cache", "a cache"],
  ["queue", "a queue or topic"],
  ["external", "outside: a server that sends no spans"],
];

/** The number of calls, the grade of errors, and what it means. @type {[number, number, string][]} */
const LINES = [
  [1, 0, "a call or a message, once"],
  [1000, 0, "1,000 times: wider for each tenfold"],
  [10, 1, "less than 1 % fail"],
  [10, 2, "1 % or more fail"],
  [10, 3, "5 % or more fail"],
  [10, 4, "a quarter or more fail"],
];

/** @type {[string[], string][]} */
const KEYS = [
  [["←", "→", "↑", "↓"], "from node to node, once one has the focus"],
  [["Tab"], "to the calls of the node"],
  [["Enter"], "what is behind it"],
  [["+", "-", "0"], "larger, smaller, all of the map"],
  [["Shift", "←"], "moves the map, as dragging does"],
  [["Ctrl", "wheel"], "zooms, as pinching does"],
];

/** The legend of a map, closed at first. */
export function mapLegend() {
  const shapes = SHAPES.map(
    ([kind, text]) =>
      /** @type {const} */ ([sample(50, 30, shape(kind)), text]),
  );
  const lines = LINES.map(
    ([count, grade, text]) =>
      /** @type {const} */ ([sample(60, 20, line(count, grade)), text]),
  );
  const figures = /** @type {const} */ ([
    ["✕ 3.1 %", "the share of calls that failed"],
    ["p95", "19 of 20 took no longer"],
  ]);
  return legendBox("for-map", [...shapes, ...lines, ...figures], KEYS);
}

/** @param {number} width @param {number} height @param {SVGElement} content */
function sample(width, height, content) {
  return svg(
    "svg",
    { class: "map-sample", width, height, "aria-hidden": "true" },
    content,
  );
}

/** @param {import('../types.d.ts').GraphNode['kind']} kind */
function shape(kind) {
  const size = { width: 48, height: 28 };
  const isService = kind === "service";
  return svg(
    "g",
    {
      class: `node ${kind}${isService ? " c0" : ""}`,
      transform: "translate(1 1)",
    },
    outline(kind, size),
    isService && stripe(size.height),
  );
}

/** @param {number} count @param {number} grade */
function line(count, grade) {
  const stroke = lineWidth({ count });
  const end = { x: 58, y: 10 };
  return svg(
    "g",
    { class: `line grade${grade}` },
    svg("path", { class: "thin", d: "M2 10H48", "stroke-width": stroke }),
    svg("path", { class: "tip", d: arrowTip(end, { x: 1, y: 0 }, stroke) }),
  );
}
