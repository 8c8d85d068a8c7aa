// The border between names and bars, which can be moved and is remembered.

import { el } from "./dom.js";

const KEY = "names";
const MIN = 15;
const MAX = 80;

/**
 * @param {HTMLElement} element what has the columns
 * @param {() => void} onMove
 */
export function columnBorder(element, onMove) {
  const border = el("div", {
    class: "border",
    role: "separator",
    tabindex: "0",
    "aria-orientation": "vertical",
    "aria-label": "Width of the names",
    "aria-valuemin": MIN,
    "aria-valuemax": MAX,
    "aria-valuenow": 36,
    title: "Drag, or ← →, to make room for names",
    onpointerdown: start,
    onpointermove: drag,
    onkeydown: step,
    ondblclick: reset,
  });
  const stored = Number(localStorage.getItem(KEY));
  if (stored > 0) set(stored);

  /** @param {number} percent */
  function set(percent) {
    const width = Math.round(Math.min(MAX, Math.max(MIN, percent)));
    element.style.setProperty("--names", `${width}%`);
    border.setAttribute("aria-valuenow", String(width));
    localStorage.setItem(KEY, String(width));
    onMove();
  }

  /** @param {PointerEvent} event */
  function start(event) {
    event.preventDefault();
    border.focus();
    border.setPointerCapture(event.pointerId);
  }

  /** @param {PointerEvent} event */
  function drag(event) {
    if (!border.hasPointerCapture(event.pointerId)) return;
    const { left } = element.getBoundingClientRect();
    set((100 * (event.clientX - left)) / element.clientWidth);
  }

  /** @param {KeyboardEvent} event */
  function step(event) {
    const by = { ArrowLeft: -2, ArrowRight: 2 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    set(Number(border.getAttribute("aria-valuenow")) + by);
  }

  function reset() {
    element.style.removeProperty("--names");
    border.setAttribute("aria-valuenow", "36");
    localStorage.removeItem(KEY);
    onMove();
  }

  return border;
}
