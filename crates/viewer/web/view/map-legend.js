// What is drawn on a map, and its keys.

import { fixed } from "../model/format.js";
import { lineWidth } from "../model/graph-figures.js";
import { arrowTip } from "../model/graph-lines.js";
import { texts } from "../texts.js";
import { svg } from "./dom.js";
import { legendBox } from "./legend.js";
import { stripe } from "./map-parts.js";
import { outline } from "./map-shapes.js";

/** @type {[import('../types.d.ts').GraphNode['kind'], string][]} */
const SHAPES = [
  ["service", texts.mapLegend.service],
  ["database", texts.mapLegend.database],
  ["cache", texts.mapLegend.cache],
  ["queue", texts.mapLegend.queue],
  ["external", texts.mapLegend.external],
];

/** The number of calls, the grade of errors, and what it means. @type {[number, number, string][]} */
const LINES = [
  [1, 0, texts.mapLegend.once],
  [1000, 0, texts.mapLegend.thousand],
  [10, 1, texts.mapLegend.few],
  [10, 2, texts.mapLegend.some],
  [10, 3, texts.mapLegend.many],
  [10, 4, texts.mapLegend.quarter],
];

/** @type {[string[], string][]} */
const KEYS = [
  [["←", "→", "↑", "↓"], texts.mapLegend.nodes],
  [["Tab"], texts.mapLegend.calls],
  [["Enter"], texts.mapLegend.open],
  [["+", "-", "0"], texts.mapLegend.zoom],
  [["Shift", "←"], texts.mapLegend.move],
  [["Ctrl", texts.legend.wheelKey], texts.legend.wheel],
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
    [`✕ ${fixed(3.1, 1)} %`, texts.mapLegend.failures],
    ["p95", texts.mapLegend.p95],
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
