// Chooses how a trace is drawn.

import { el } from "./dom.js";

/** @typedef {import('../model/trace-address.js').Shape} Shape */

/** @type {[Shape, string, string][]} */
const SHAPES = [
  ["timeline", "Timeline", "Each span a row, with its name beside its bar (i)"],
  ["icicle", "Icicle", "Each span a box below its parent, the root on top (i)"],
  ["map", "Map", "Its services, and who calls whom"],
];

/** @param {(shape: Shape) => void} onChoose */
export function shapeSwitch(onChoose) {
  const buttons = SHAPES.map(([shape, text, title]) =>
    el(
      "button",
      {
        type: "button",
        title,
        "aria-pressed": String(shape === "timeline"),
        "data-shape": shape,
        onclick: () => onChoose(shape),
      },
      text,
    ),
  );
  return {
    element: el(
      "span",
      { class: "shapes", role: "group", "aria-label": "Drawn as" },
      buttons,
    ),
    /** @param {Shape} chosen */
    show(chosen) {
      for (const one of buttons)
        one.setAttribute("aria-pressed", String(one.dataset.shape === chosen));
    },
  };
}
