// Chooses how a trace is drawn.

import { texts } from "../texts.js";
import { el } from "./dom.js";

/** @typedef {import('../model/trace-address.js').Shape} Shape */

/** @type {[Shape, string, string][]} */
const SHAPES = [
  ["timeline", texts.shapes.timeline, texts.shapes.timelineTitle],
  ["icicle", texts.shapes.icicle, texts.shapes.icicleTitle],
  ["map", texts.page.map, texts.shapes.mapTitle],
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
      { class: "shapes", role: "group", "aria-label": texts.shapes.title },
      buttons,
    ),
    /** @param {Shape} chosen */
    show(chosen) {
      for (const one of buttons)
        one.setAttribute("aria-pressed", String(one.dataset.shape === chosen));
    },
  };
}
