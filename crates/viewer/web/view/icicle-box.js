// A box of the icicle: a span, or several that are too small to be told apart.

import { colourClass } from "../model/colour.js";
import { count, duration } from "../model/format.js";
import {
  LANE_HEIGHT,
  eventPosition,
  segment,
  segments,
} from "../model/geometry.js";
import { badges, outcomeLabel } from "../model/span.js";
import { isolate } from "../model/text.js";
import { texts } from "../texts.js";
import { el, untrusted } from "./dom.js";

/** @typedef {import('../types.d.ts').Trace} Trace */
/** @typedef {import('../types.d.ts').SpanRow} SpanRow */
/** @typedef {import('../types.d.ts').ChartState} ChartState */
/** @typedef {import('../model/icicle.js').Box} Box */

/** A text is shown from this width on, in pixels. */
const TEXT_WIDTH = 24;

/**
 * @typedef {object} BoxState
 * @property {ChartState} state
 * @property {number} width in pixels
 * @property {boolean} isExpanded
 * @property {boolean} isAbove whether the chosen span is below it
 * @property {{ place: number, size: number }} siblings
 */

/** @param {Trace} trace @param {Box} box @param {BoxState} options */
export function icicleBox(trace, box, options) {
  const { state, width, isExpanded, isAbove, siblings } = options;
  const [index] = box.indices;
  const span = trace.spans[index];
  const service = trace.services[span.service];
  const isSelected = span.id === state.selected;
  const hasBelow = span.descendants > 0;
  const element = el(
    "div",
    {
      id: `s-${span.id}`,
      class: classes([
        "box",
        colourClass(service),
        span.simulated && "simulated",
        span.error && "failed",
        isSelected && "selected",
        isAbove && "above",
        state.matches !== null && (state.matches.has(index) ? "hit" : "miss"),
      ]),
      role: "treeitem",
      "aria-level": span.depth + 1,
      "aria-posinset": siblings.place,
      "aria-setsize": siblings.size,
      "aria-selected": String(isSelected),
      "aria-expanded": hasBelow ? String(isExpanded) : null,
      title: facts(trace, span).join(" · "),
    },
    width >= TEXT_WIDTH
      ? text(trace, span, hasBelow && !isExpanded)
      : el("span", { class: "off" }, facts(trace, span).join(" · ")),
    state.showCritical && critical(span, state, width),
    width >= TEXT_WIDTH && events(trace, span, state),
  );
  return placed(element, box);
}

/**
 * @param {Trace} trace
 * @param {Box} box
 * @param {ChartState} state
 * @param {() => void} onZoom
 */
export function icicleCluster(trace, box, { matches }, onZoom) {
  const spans = box.indices.map((index) => trace.spans[index]);
  const errors = spans.filter((span) => span.error).length;
  const isHit = box.indices.some((index) => matches?.has(index));
  const bad = errors > 0 ? `, ${count(errors, "error")}` : "";
  const text = texts.trace.cluster(count(spans.length, "span") + bad);
  const element = el("div", {
    class: classes([
      "box",
      "cluster",
      errors > 0 && "failed",
      matches !== null && (isHit ? "hit" : "miss"),
    ]),
    role: "treeitem",
    "aria-level": spans[0].depth + 1,
    "aria-label": text,
    title: text,
    onclick: (/** @type {Event} */ event) => {
      event.stopPropagation();
      onZoom();
    },
  });
  return placed(element, box);
}

/** @param {(string | false)[]} names */
function classes(names) {
  return names.filter(Boolean).join(" ");
}

/** @param {HTMLElement} element @param {Box} box */
function placed(element, { lane, left, width }) {
  element.style.setProperty("top", `${lane * LANE_HEIGHT}px`);
  element.style.setProperty("left", `${left}%`);
  element.style.setProperty("width", `${width}%`);
  return element;
}

// What it shows is its name, and what has no room is added for screen readers.
/** @param {Trace} trace @param {SpanRow} span @param {boolean} isCollapsed */
function text(trace, span, isCollapsed) {
  return [
    el(
      "span",
      { class: "box-text" },
      span.error && [el("span", { "aria-hidden": "true" }, "✕"), " "],
      untrusted(span.name, texts.noName),
      isCollapsed && ` +${span.descendants}`,
      " ",
      el("span", { class: "soft" }, untrusted(trace.services[span.service])),
      " ",
      el("span", { class: "soft" }, duration(span.duration_ns)),
    ),
    el("span", { class: "off" }, remarks(trace, span).join(" · ")),
  ];
}

/** @param {Trace} trace @param {SpanRow} span */
function facts(trace, span) {
  return [
    isolate(trace.services[span.service]),
    isolate(span.name),
    duration(span.duration_ns),
    ...remarks(trace, span),
  ];
}

/** @param {Trace} trace @param {SpanRow} span */
function remarks(trace, span) {
  return [
    outcomeLabel(span),
    span.error && (span.message ? isolate(span.message) : texts.span.error),
    ...badges(span, trace.trace_id).map((badge) => badge.title),
  ].filter(Boolean);
}

// Within the part of the span that is in sight.
/** @param {SpanRow} span @param {ChartState} state */
function seen(span, { window }) {
  const from = Math.max(window.from, span.offset_ns);
  const to = Math.min(window.to, span.offset_ns + span.duration_ns);
  return { from, to };
}

/** @param {SpanRow} span @param {ChartState} state @param {number} width */
function critical(span, state, width) {
  const window = seen(span, state);
  const all = segment(window.from, window.to, state.window);
  if (all === null) return null;
  const pieces =
    window.to > window.from
      ? segments(span.critical, window, 100 / Math.max(1, width))
      : span.critical.slice(0, 1).map(() => ({ left: 0, width: 100 }));
  return pieces.map(({ left, width }) => {
    const element = el("i", { class: "critical" });
    element.style.setProperty("left", `${left}%`);
    element.style.setProperty("width", `${width}%`);
    return element;
  });
}

/** @param {Trace} trace @param {SpanRow} span @param {ChartState} state */
function events({ duration_ns: total }, span, state) {
  const window = seen(span, state);
  return span.events.map(([offset, name]) => {
    const percent = eventPosition(offset, window, total);
    if (percent === null) return null;
    const bad = name === "exception" ? " bad" : "";
    const mark = el("i", { class: `event${bad}` });
    mark.style.setProperty("left", `${percent}%`);
    return mark;
  });
}
