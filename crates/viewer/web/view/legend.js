// What is drawn in the waterfall, and its keys.

import { texts } from "../texts.js";
import { el } from "./dom.js";

/** @typedef {import('../types.d.ts').Child} Child */

/** The classes of a sample, and what it means. */
const MARKS = [
  { class: "bar", text: texts.legend.span },
  { class: "bar simulated", text: texts.legend.simulated },
  { class: "bar failed", text: texts.legend.failed },
  { class: "critical", text: texts.legend.critical },
  { class: "event", text: texts.legend.event },
  { class: "event bad", text: texts.legend.exception },
  { class: "box", text: texts.legend.box },
  { class: "box cluster", text: texts.legend.cluster },
  { class: "curve", text: texts.legend.curve },
  { class: "hit", text: texts.legend.hit },
];

/** @type {[string[], string][]} */
const BADGES = [
  [["▾", "▸"], texts.legend.below],
  [["+3"], texts.legend.collapsed],
  [["⇤ 2 ms"], texts.legend.skew],
  [["↗", "↙"], texts.legend.otherTrace],
  [["→", "←"], texts.legend.peer],
  [["200"], texts.legend.status],
  [[texts.span.try(2)], texts.legend.again],
  [[texts.span.noEnd], texts.legend.noEnd],
  [[texts.span.parentMissing], texts.legend.parentMissing],
  [[texts.span.cycle], texts.legend.cycle],
];

/** @type {[string[], string][]} */
const KEYS = [
  [["j", "k"], texts.legend.spanKeys],
  [["←", "→"], texts.legend.fold],
  [["e", "E"], texts.legend.errors],
  [["n", "N"], texts.legend.hits],
  [["Enter"], texts.legend.details],
  [["+", "-", "0"], texts.legend.zoom],
  [["i"], texts.legend.shape],
  [["z"], texts.legend.zoomSpan],
  [["Shift", "←", "→"], texts.legend.move],
  [[texts.legend.dragKey], texts.legend.drag],
  [["Ctrl", texts.legend.wheelKey], texts.legend.wheel],
];

/** The legend of the waterfall, closed at first. */
export function legend() {
  const marks = MARKS.map(
    ({ class: name, text }) =>
      /** @type {const} */ ([el("i", { class: `sample ${name} c0` }), text]),
  );
  const badges = BADGES.map(
    ([signs, text]) => /** @type {const} */ ([signs.join(" "), text]),
  );
  return legendBox("for-rows", [...marks, ...badges], KEYS);
}

/**
 * A legend that can be opened.
 * @param {"for-rows" | "for-map"} view that it belongs to
 * @param {(readonly [Child, string])[]} marks what is drawn, and what it means
 * @param {[string[], string][]} keys
 */
export function legendBox(view, marks, keys) {
  return el(
    "details",
    { class: `legend-box ${view}` },
    el("summary", {}, texts.legend.title),
    el(
      "dl",
      { class: "marks" },
      marks.map(([mark, text]) => [el("dt", {}, mark), el("dd", {}, text)]),
      keys.map(([names, text]) => [
        el(
          "dt",
          {},
          names.map((key) => [el("kbd", {}, key), " "]),
        ),
        el("dd", {}, text),
      ]),
    ),
  );
}
