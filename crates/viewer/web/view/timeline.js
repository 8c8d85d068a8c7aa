// The head of the waterfall's bars: all of the trace in small, the ruler, and what
// zooms and moves the part that is in sight.

import { percentOf } from "../model/geometry.js";
import {
  fitWindow,
  isWhole,
  moveWindow,
  rulerTicks,
  wholeTrace,
  windowAround,
  zoomWindow,
} from "../model/timeline.js";
import { texts } from "../texts.js";
import { el, quietButton } from "./dom.js";
import { brush, holdTimeline } from "./gestures.js";
import { minimap } from "./minimap.js";

/** @typedef {import('../types.d.ts').Trace} Trace */
/** @typedef {import('../model/timeline.js').Window} Window */

const IN = 0.5;
const OUT = 2;

/**
 * @param {object} parts
 * @param {HTMLElement} parts.rows whose bars can be dragged and zoomed
 * @param {() => void} parts.onChange
 */
export function timeline({ rows, onChange }) {
  let total = 0;
  let window = wholeTrace(0);
  const ruler = el("div", { class: "ruler", "aria-hidden": "true" });
  const map = minimap();
  const element = el("div", { class: "timeline" }, map.element, ruler);
  const zoomOut = quietButton("−", texts.timeline.zoomOut, () => zoom(OUT));
  const all = quietButton(texts.timeline.all, texts.timeline.allTitle, () =>
    set(wholeTrace(total)),
  );
  const buttons = el(
    "span",
    { class: "zoom" },
    quietButton("+", texts.timeline.zoomIn, () => zoom(IN)),
    zoomOut,
    all,
  );
  const resizeObserver = new ResizeObserver(draw);
  resizeObserver.observe(ruler);
  const hold = {
    zoom: (/** @type {number} */ factor, /** @type {number} */ share) =>
      zoom(factor, window.from + share * (window.to - window.from)),
    move,
    canMove: () => !isWhole(window, total),
  };
  holdTimeline(rows, ruler, { ...hold, onPlainWheel: false });
  holdTimeline(element, ruler, { ...hold, onPlainWheel: true });
  brush(map.element, (from, to) => set({ from: from * total, to: to * total }));
  brush(ruler, (from, to) => {
    const { from: start, to: end } = window;
    const at = (/** @type {number} */ share) => start + share * (end - start);
    set({ from: at(from), to: at(to) });
  });
  element.addEventListener("dblclick", () => set(wholeTrace(total)));

  /** @param {Window} wanted */
  function set(wanted) {
    window = fitWindow(wanted, total);
    draw();
    onChange();
  }

  /** @param {number} factor @param {number} [at] */
  function zoom(factor, at = (window.from + window.to) / 2) {
    set(zoomWindow(window, factor, at, total));
  }

  /** @param {number} share */
  function move(share) {
    set(moveWindow(window, share, total));
  }

  function draw() {
    const width = ruler.clientWidth;
    const ticks = rulerTicks(window, width);
    ruler.replaceChildren(
      ...ticks.map(({ percent, text }) => {
        const tick = el("span", {}, text);
        tick.style.setProperty("left", `${percent}%`);
        return tick;
      }),
    );
    const [first, second] = ticks.map(({ percent }) => (percent * width) / 100);
    rows.style.setProperty("--tick-from", `${first ?? 0}px`);
    rows.style.setProperty(
      "--tick-step",
      `${(second ?? width) - (first ?? 0)}px`,
    );
    zoomOut.disabled = all.disabled = isWhole(window, total);
    const scale = wholeTrace(total);
    map.frame(percentOf(window.from, scale), percentOf(window.to, scale));
    element.classList.toggle("zoomed", !isWhole(window, total));
  }

  /**
   * @param {KeyboardEvent} event
   * @param {import('../types.d.ts').SpanRow | undefined} span the chosen one
   * @returns {boolean} whether it was handled
   */
  function onKey({ key, shiftKey }, span) {
    if (key === "+" || key === "=") zoom(IN, middleOf(span));
    else if (key === "-") zoom(OUT, middleOf(span));
    else if (key === "0") set(wholeTrace(total));
    else if (key === "z" && span) set(windowAround(span, total));
    else if (key === "ArrowLeft" && shiftKey) move(-0.25);
    else if (key === "ArrowRight" && shiftKey) move(0.25);
    else return false;
    return true;
  }

  // Zooms to the chosen span while it is in sight.
  /** @param {import('../types.d.ts').SpanRow | undefined} span */
  function middleOf(span) {
    if (!span) return undefined;
    const from = Math.max(window.from, span.offset_ns);
    const to = Math.min(window.to, span.offset_ns + span.duration_ns);
    return to >= from ? (from + to) / 2 : undefined;
  }

  return {
    element,
    buttons,
    onKey,
    window: () => window,
    /** @param {Trace} trace */
    show(trace) {
      const follows = isWhole(window, total);
      total = trace.duration_ns;
      window = fitWindow(follows ? wholeTrace(total) : window, total);
      map.show(trace);
      draw();
    },
    dispose() {
      resizeObserver.disconnect();
      map.dispose();
    },
  };
}
