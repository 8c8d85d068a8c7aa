// Links between spans of one trace, as curves over the waterfall: those of the
// span that is chosen or pointed at.

import { linkCurve, percentOf } from "../model/geometry.js";
import { isolate } from "../model/text.js";
import { texts } from "../texts.js";
import { svg } from "./dom.js";

/** @typedef {import('../types.d.ts').Trace} Trace */
/** @typedef {import('../types.d.ts').SpanRow} SpanRow */
/** @typedef {import('../types.d.ts').Link} Link */

/** More curves than this at a time would show nothing. */
const MAX_LINKS = 150;

/**
 * @typedef {object} LinkState
 * @property {import('../model/link-index.js').TraceLink[]} links
 * @property {import('../model/timeline.js').Window} window
 * @property {{ left: number, width: number }} track in pixels
 * @property {(id: string) => void} onFollow
 */

/**
 * Links between spans, as curves.
 * @param {Trace} trace
 * @param {import('../types.d.ts').Drawing} drawing
 * @param {LinkState} state
 */
export function drawLinks(trace, drawing, { links, window, track, onFollow }) {
  const curves = links.slice(0, MAX_LINKS).map(({ from, link }) => {
    const span = trace.spans[from];
    const source = drawing.rowOf(span.id);
    const target = drawing.rowOf(link.span_id);
    if (!source || !target || source.index === target.index) return null;
    const to = trace.spans[target.index];
    const d = linkCurve(end(span, source.row), end(to, target.row), track);
    const properties = {
      class: "link",
      onclick: () => onFollow(link.span_id),
      "data-to": link.span_id,
    };
    return svg(
      "g",
      properties,
      svg("title", {}, describe(span, to, link)),
      svg("path", { class: "wide", d }),
      svg("path", { class: "thin", d, "marker-end": "url(#arrow)" }),
    );
  });
  const drawn = curves.filter((curve) => curve !== null);
  return drawn.length > 0 ? [svg("defs", {}, arrowHead()), ...drawn] : [];

  /** @param {SpanRow} span @param {number} row */
  function end(span, row) {
    return {
      y: (row + 0.5) * drawing.rowHeight,
      percent: percentOf(span.offset_ns, window),
    };
  }
}

/** @param {SpanRow} from @param {SpanRow} to @param {Link} link */
function describe(from, to, { reason }) {
  return texts.trace.link(
    isolate(from.name),
    isolate(to.name),
    reason ? isolate(reason) : "",
  );
}

function arrowHead() {
  const properties = {
    id: "arrow",
    viewBox: "0 0 8 8",
    refX: 7,
    refY: 4,
    markerWidth: 8,
    markerHeight: 8,
    markerUnits: "userSpaceOnUse",
    orient: "auto",
  };
  return svg(
    "marker",
    properties,
    svg("path", { class: "tip", d: "M0 0L8 4L0 8z" }),
  );
}
