// The map of one trace, and the links between it and the timeline.

import { IN_TRACE } from "../model/graph-figures.js";
import { traceAddress, WHOLE } from "../model/trace-address.js";
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
    traceAddress(id, trace?.spans[spansOf(part)[0]]?.id ?? null, WHOLE);
  const canvas = mapCanvas({
    figures: IN_TRACE,
    nodeAddress: address,
    edgeAddress: address,
    onChoose: (part) => {
      if (spansOf(part).length > 0) onChoose(spansOf(part));
    },
  });
  const element = el(
    "div",
    { class: "trace-map", hidden: true },
    canvas.element,
  );

  return {
    element,
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
      if (isShown && trace) canvas.show(traceGraph(trace));
    },
  };
}

// The map draws what `traceGraph` has made.
/** @param {Part} part */
function spansOf(part) {
  return /** @type {{ spans: number[] }} */ (/** @type {unknown} */ (part))
    .spans;
}
