// What is drawn in the waterfall, and its keys.

import { texts } from "../texts.js";
import { el } from "./dom.js";

/** @typedef {import('../types.d.ts').Child} Child */

/** The classes of a sample, and what it means. @type {[string, string][]} */
const MARKS = [
  ["bar", "a span, in the colour of its service"],
  ["bar simulated", "hatched: simulated latency"],
  ["bar failed", "a span with an error, which ✕ says too"],
  ["critical", "on the critical path: the response waited for it"],
  ["event", "an event"],
  ["event bad", "an exception"],
  [
    "box",
    "icicle: a span, right above its children; those that run at the same time are stacked",
  ],
  ["box cluster", "icicle: spans too short to be told apart; a click zooms in"],
  ["curve", "a link of the span that is chosen or pointed at"],
  ["hit", "a hit of the search; other rows are pale"],
];

/** @type {[string[], string][]} */
const BADGES = [
  [["▾", "▸"], "spans below it: shown, collapsed"],
  [["+3"], "so many collapsed spans"],
  [["⇤ 2 ms"], "begins before its parent: clocks differ"],
  [["↗", "↙"], "a link to another trace, and from one"],
  [["→", "←"], "whom it calls or writes to, and from whom it reads"],
  [["200"], "the status of the answer"],
  [["try 2"], "a call that was made again"],
  [["no end"], "sent without an end; also “no start”, “ends early”"],
  [["parent missing"], "its parent has not arrived"],
  [["cycle cut"], "its parents lead back to itself"],
];

/** @type {[string[], string][]} */
const KEYS = [
  [["j", "k"], "next, previous span"],
  [["←", "→"], "collapse, expand"],
  [["e", "E"], "next, previous error"],
  [["n", "N"], "next, previous hit of the query"],
  [["Enter"], "details"],
  [["+", "-", "0"], "zoom in, out, all of the trace"],
  [["i"], "timeline or icicle"],
  [["z"], "zoom to the chosen span"],
  [["Shift", "←", "→"], "earlier, later, while zoomed"],
  [["drag"], "over ruler or minimap zooms, over bars moves"],
  [["Ctrl", "wheel"], "zooms, as pinching does"],
];

/** The legend of the waterfall, closed at first. */
export function legend() {
  const marks = MARKS.map(
    ([name, text]) =>
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
    el("summary", {}, "Legend and keys"),
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
