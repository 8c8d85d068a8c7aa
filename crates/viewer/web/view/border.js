// A border between two parts, which can be dragged, by keyboard too, and is
// remembered.

import { texts } from "../texts.js";
import { el } from "./dom.js";

/**
 * @typedef {object} Border
 * @property {string} name of the width in CSS, and of what is remembered
 * @property {string} label
 * @property {string} class
 * @property {HTMLElement} frame what has the width as a property
 * @property {1 | -1} side -1 for a border on the left of its part
 * @property {'px' | '%'} unit of all the widths
 * @property {number} min
 * @property {() => number} max
 * @property {number} fallback
 * @property {number} step of a key
 * @property {() => void} [onMove]
 */

/** @param {Border} options */
export function border(options) {
  const { name, frame, side, unit, min, max, fallback, step } = options;
  const key = `width-${name}`;
  let width = Number(localStorage.getItem(key)) || fallback;
  /** @type {{ x: number, width: number } | null} */
  let drag = null;

  const element = el("div", {
    class: options.class,
    role: "separator",
    tabindex: 0,
    title: texts.trace.border,
    "aria-orientation": "vertical",
    "aria-label": options.label,
    onpointerdown: (/** @type {PointerEvent} */ event) => {
      drag = { x: event.clientX, width };
      element.setPointerCapture(event.pointerId);
      element.focus();
      event.preventDefault();
    },
    onpointermove: (/** @type {PointerEvent} */ event) => {
      if (!drag) return;
      const pixels = side * (event.clientX - drag.x);
      const by = unit === "%" ? (100 * pixels) / frame.clientWidth : pixels;
      set(drag.width + by);
    },
    onpointerup: end,
    onpointercancel: end,
    ondblclick: () => keep(fallback),
    onkeydown: handleKey,
  });
  set(width);

  /** @param {number} wanted */
  function set(wanted) {
    width = Math.round(Math.min(max(), Math.max(min, wanted)));
    frame.style.setProperty(`--${name}`, `${width}${unit}`);
    element.setAttribute("aria-valuenow", String(width));
    element.setAttribute("aria-valuemin", String(min));
    element.setAttribute("aria-valuemax", String(max()));
    options.onMove?.();
  }

  /** @param {number} wanted */
  function keep(wanted) {
    set(wanted);
    localStorage.setItem(key, String(width));
  }

  function end() {
    if (drag) keep(width);
    drag = null;
  }

  /** @param {KeyboardEvent} event */
  function handleKey(event) {
    /** @type {Record<string, number>} */
    const widths = {
      ArrowLeft: width - side * step,
      ArrowRight: width + side * step,
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

/**
 * The border of a pane, in pixels.
 * @param {Pick<Border, 'name' | 'label' | 'frame' | 'side' | 'min' | 'fallback'>} options
 */
export function paneBorder(options) {
  return border({
    ...options,
    class: "pane-border",
    unit: "px",
    max: () => Math.max(options.min, Math.round(innerWidth * 0.6)),
    step: 24,
  });
}
