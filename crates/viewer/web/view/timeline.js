// The head of the waterfall's bars: all of the trace in small, the ruler, and what
// zooms and moves the part that is in sight.

import { percentOf } from "../model/geometry.js";
import { endOf } from "../model/subtree.js";
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
  /** What to show as soon as there is a trace. @type {Window | null} */
  let wanted = null;
  const ruler = el("div", { class: "ruler", "aria-hidden": "true" });
  const map = minimap();
  const element = el("div", { class: "timeline" }, map.element, ruler);
  const zoomOut = quietButton("−", texts.timeline.zoomOut, () => zoom(OUT));
  const all = quietButton(texts.timeline.all, texts.timeline.allTitle, () =>
    set(wholeTrace(total)),
  );
  const buttons = el(
    "span",
    { class: "zoom for-rows" },
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

  /** @param {Window} part */
  function set(part) {
    window = fitWindow(part, total);
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
    const ticks = rulerTicks(window, width, roomBehind(ruler));
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

  /** Moves so that a span can be seen. @param {import('../types.d.ts').SpanRow} span */
  function reveal(span) {
    const end = endOf(span);
    const length = window.to - window.from;
    if (end >= window.from && span.offset_ns <= window.to) return;
    const from = (span.offset_ns + end - length) / 2;
    set({ from, to: from + length });
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
    /** The part in sight, or null for all. */
    zoomed: () => (isWhole(window, total) ? wanted : window),
    reveal,
    /** Where the time is drawn in the rows, in pixels. */
    track: () => ({
      left:
        ruler.getBoundingClientRect().left - rows.getBoundingClientRect().left,
      width: ruler.clientWidth,
    }),
    /** Shows a part, once there is a trace. @param {Window | null} part null for all */
    zoomTo(part) {
      if (total > 0) set(part ?? wholeTrace(total));
      else wanted = part;
    },
    /** @param {Trace} trace */
    show(trace) {
      const follows = isWhole(window, total);
      total = trace.duration_ns;
      window = fitWindow(
        wanted ?? (follows ? wholeTrace(total) : window),
        total,
      );
      wanted = null;
      map.show(trace);
      draw();
    },
    dispose() {
      resizeObserver.disconnect();
      map.dispose();
    },
  };
}

// What is right of an element in the chart, in pixels.
/** @param {HTMLElement} ruler */
function roomBehind(ruler) {
  const head = ruler.closest(".head");
  if (!head) return 0;
  return (
    head.getBoundingClientRect().right - ruler.getBoundingClientRect().right
  );
}
