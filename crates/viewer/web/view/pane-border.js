// A border between two panes, which can be dragged, by keyboard too, and is
// remembered.

import { el } from "./dom.js";

const STEP = 24;

/**
 * @param {{
 *   name: string,
 *   label: string,
 *   min: number,
 *   fallback: number,
 *   side: 1 | -1,
 *   frame: HTMLElement,
 * }} options `name` of the width in CSS and of what is remembered; `side` is -1
 *   for a border on the left of its pane
 */
export function paneBorder({ name, label, min, fallback, side, frame }) {
  let width = Number(localStorage.getItem(`width-${name}`)) || fallback;
  /** @type {{ x: number, width: number } | null} */
  let drag = null;

  const element = el("div", {
    class: "pane-border",
    role: "separator",
    tabindex: 0,
    title: "Drag, or use the arrow keys; a double click resets it",
    "aria-orientation": "vertical",
    "aria-label": label,
    onpointerdown: (/** @type {PointerEvent} */ event) => {
      drag = { x: event.clientX, width };
      element.setPointerCapture(event.pointerId);
      event.preventDefault();
    },
    onpointermove: (/** @type {PointerEvent} */ event) => {
      if (drag) set(drag.width + side * (event.clientX - drag.x));
    },
    onpointerup: end,
    onpointercancel: end,
    ondblclick: () => keep(fallback),
    onkeydown: handleKey,
  });
  set(width);

  function max() {
    return Math.max(min, Math.round(innerWidth * 0.6));
  }

  /** @param {number} wanted in pixels */
  function set(wanted) {
    width = Math.round(Math.min(max(), Math.max(min, wanted)));
    frame.style.setProperty(`--${name}`, `${width}px`);
    element.setAttribute("aria-valuenow", String(width));
    element.setAttribute("aria-valuemin", String(min));
    element.setAttribute("aria-valuemax", String(max()));
  }

  /** @param {number} wanted */
  function keep(wanted) {
    set(wanted);
    localStorage.setItem(`width-${name}`, String(width));
  }

  function end() {
    if (drag) keep(width);
    drag = null;
  }

  /** @param {KeyboardEvent} event */
  function handleKey(event) {
    /** @type {Record<string, number>} */
    const widths = {
      ArrowLeft: width - side * STEP,
      ArrowRight: width + side * STEP,
      Home: min,
      End: max(),
    };
    if (!(event.key in widths)) return;
    keep(widths[event.key]);
    event.preventDefault();
    event.stopPropagation();
  }

  return element;
}
