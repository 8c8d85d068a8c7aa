// Links between spans of one trace, as curves over the waterfall.

import { linkCurve, percentOf } from "../model/geometry.js";
import { isolate } from "../model/text.js";
import { svg } from "./dom.js";

/** @typedef {import('../types.d.ts').Trace} Trace */
/** @typedef {import('../types.d.ts').SpanRow} SpanRow */
/** @typedef {import('../types.d.ts').Link} Link */

/** More curves than this at a time would show nothing. */
const MAX_LINKS = 150;

/**
 * @typedef {object} LinkState
 * @property {{ first: number, end: number }} range the rows that are drawn
 * @property {string | null} selected
 * @property {{ left: number, width: number }} track in pixels
 * @property {(id: string) => void} onFollow
 */

/**
 * The links of the rows that are drawn.
 * @param {Trace} trace
 * @param {import('../model/span-tree.js').SpanTree} tree
 * @param {LinkState} state
 */
export function drawLinks(trace, tree, { range, selected, track, onFollow }) {
  const curves = [];
  for (
    let row = range.first;
    row < range.end && curves.length < MAX_LINKS;
    row++
  ) {
    const span = trace.spans[tree.rows[row]];
    for (const link of span.links) {
      const target =
        link.trace_id === trace.trace_id
          ? tree.visibleRow(link.span_id)
          : undefined;
      if (!target || target.row === row) continue;
      const to = trace.spans[target.index];
      const d = linkCurve(end(span, row), end(to, target.row), track);
      const isStrong = span.id === selected || link.span_id === selected;
      const properties = {
        class: isStrong ? "link strong" : "link",
        onclick: () => onFollow(link.span_id),
        "data-to": link.span_id,
      };
      curves.push(
        svg(
          "g",
          properties,
          svg("title", {}, describe(span, to, link)),
          svg("path", { class: "wide", d }),
          svg("path", { class: "thin", d, "marker-end": "url(#arrow)" }),
        ),
      );
    }
  }
  return [svg("defs", {}, arrowHead()), ...curves];

  /** @param {SpanRow} span @param {number} row */
  function end(span, row) {
    return { row, percent: percentOf(span.offset_ns, trace.duration_ns) };
  }
}

/** @param {SpanRow} from @param {SpanRow} to @param {Link} link */
function describe(from, to, { reason }) {
  return `Link from ${isolate(from.name)} to ${isolate(to.name)}${reason ? ` (${isolate(reason)})` : ""}`;
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
