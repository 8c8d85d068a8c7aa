// What is drawn in the waterfall, and its keys.

import { texts } from "../texts.js";
import { el } from "./dom.js";

/** The classes of a sample, and what it means. */
const MARKS = [
  { class: "bar", text: texts.legend.span },
  { class: "bar simulated", text: texts.legend.simulated },
  { class: "bar failed", text: texts.legend.failed },
  { class: "critical", text: texts.legend.critical },
  { class: "event", text: texts.legend.event },
  { class: "event bad", text: texts.legend.exception },
  { class: "curve", text: texts.legend.curve },
];

/** @type {[string[], string][]} */
const BADGES = [
  [["⇤"], texts.legend.skew],
  [["↗", "↙"], texts.legend.otherTrace],
  [["→", "←"], texts.legend.peer],
];

/** @type {[string[], string][]} */
const KEYS = [
  [["j", "k"], texts.legend.spanKeys],
  [["←", "→"], texts.legend.fold],
  [["e", "E"], texts.legend.errors],
  [["n", "N"], texts.legend.hits],
  [["Enter"], texts.legend.details],
  [["+", "-", "0"], texts.legend.zoom],
  [["z"], texts.legend.zoomSpan],
  [["Shift", "←", "→"], texts.legend.move],
  [[texts.legend.dragKey], texts.legend.drag],
  [["Ctrl", texts.legend.wheelKey], texts.legend.wheel],
];

/** The legend, closed at first. */
export function legend() {
  return el(
    "details",
    { class: "legend-box" },
    el("summary", {}, texts.legend.title),
    el(
      "dl",
      { class: "marks" },
      MARKS.map(({ class: name, text }) => [
        el("dt", {}, el("i", { class: `sample ${name} c0` })),
        el("dd", {}, text),
      ]),
      BADGES.map(([signs, text]) => [
        el("dt", {}, signs.join(" ")),
        el("dd", {}, text),
      ]),
      KEYS.map(([keys, text]) => [
        el(
          "dt",
          {},
          keys.map((key) => [el("kbd", {}, key), " "]),
        ),
        el("dd", {}, text),
      ]),
    ),
  );
}
