// What is drawn in the waterfall, and its keys.

import { el } from "./dom.js";

/** The classes of a sample, and what it means. @type {[string, string][]} */
const MARKS = [
  ["bar", "a span, in the colour of its service"],
  ["bar simulated", "simulated latency"],
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
];

/** @type {[string[], string][]} */
const BADGES = [
  [["⇤"], "begins before its parent: clocks differ"],
  [["↗", "↙"], "a link to another trace, and from one"],
  [["→", "←"], "whom it calls or writes to, and from whom it reads"],
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

/** The legend, closed at first. */
export function legend() {
  return el(
    "details",
    { class: "legend-box" },
    el("summary", {}, "Legend and keys"),
    el(
      "dl",
      { class: "marks" },
      MARKS.map(([name, text]) => [
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
