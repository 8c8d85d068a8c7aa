// The map of one trace, and the links between it and the timeline.

import { IN_TRACE } from "../model/graph-figures.js";
import { traceAddress } from "../model/route.js";
import { traceGraph } from "../model/trace-graph.js";
import { el } from "./dom.js";
import { mapCanvas } from "./map-canvas.js";

/** @typedef {import('../types.d.ts').Trace} Trace */
/** @typedef {import('../types.d.ts').GraphNode | import('../types.d.ts').GraphEdge} Part */

/**
 * @param {string} id of the trace
 * @param {(spans: number[]) => void} onChoose the indices of what is behind a node or a call
 */
export function traceMap(id, onChoose) {
  /** @type {Trace | null} */
  let trace = null;
  const address = (/** @type {Part} */ part) =>
    traceAddress(id, trace?.spans[spansOf(part)[0]]?.id);
  const canvas = mapCanvas({
    figures: IN_TRACE,
    nodeAddress: address,
    edgeAddress: address,
    onChoose: (part) => {
      if (spansOf(part).length > 0) onChoose(spansOf(part));
    },
  });
  const timelineLink = el("a", { class: "button" }, "Timeline");
  const mapLink = el("a", { class: "button" }, "Map");
  const tabs = el(
    "nav",
    { class: "trace-views", "aria-label": "Views of the trace" },
    timelineLink,
    mapLink,
  );
  const element = el(
    "div",
    { class: "trace-map", hidden: true },
    canvas.element,
  );

  return {
    element,
    tabs,
    focus: canvas.focus,
    onKey: canvas.onKey,
    dispose: canvas.dispose,
    isShown: () => !element.hidden,
    /** @param {Trace} shown */
    show(shown) {
      trace = shown;
      if (!element.hidden) canvas.show(traceGraph(trace));
    },
    /** @param {boolean} isShown */
    setShown(isShown) {
      element.hidden = !isShown;
      const [current, other] = isShown
        ? [mapLink, timelineLink]
        : [timelineLink, mapLink];
      current.setAttribute("aria-current", "true");
      other.removeAttribute("aria-current");
      if (isShown && trace) canvas.show(traceGraph(trace));
    },
    /** Keeps the chosen span in the links. @param {string | undefined} span */
    setSpan(span) {
      timelineLink.href = traceAddress(id, span);
      mapLink.href = traceAddress(id, span, "map");
    },
  };
}

// The map draws what `traceGraph` has made.
/** @param {Part} part */
function spansOf(part) {
  return /** @type {{ spans: number[] }} */ (/** @type {unknown} */ (part))
    .spans;
}
