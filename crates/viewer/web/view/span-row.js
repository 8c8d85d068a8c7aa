// A span as a row of the waterfall: its name beside its bar.

import { colourClass } from "../model/colour.js";
import { count, duration } from "../model/format.js";
import {
  ROW_HEIGHT,
  eventPosition,
  labelPosition,
  segment,
  segments,
} from "../model/geometry.js";
import { badges, calleeLabel, kindLabel, outcomeLabel } from "../model/span.js";
import { isolate } from "../model/text.js";
import { texts } from "../texts.js";
import { el, untrusted } from "./dom.js";

/** @typedef {import('../types.d.ts').Trace} Trace */
/** @typedef {import('../types.d.ts').SpanRow} SpanRow */

/**
 * @typedef {object} RowState
 * @property {number} row
 * @property {number} index of the span in the trace
 * @property {import('../types.d.ts').ChartState} state
 * @property {number} width of the track in pixels
 * @property {boolean} isExpanded
 * @property {{ place: number, size: number }} siblings
 * @property {() => void} onToggle collapses or expands
 */

/**
 * The row, which screen readers name by what it shows.
 * @param {Trace} trace
 * @param {SpanRow} span
 * @param {RowState} options
 */
export function spanRow(trace, span, options) {
  const element = el(
    "div",
    {
      id: `s-${span.id}`,
      class: classes(span, options),
      role: "treeitem",
      "aria-level": span.depth + 1,
      "aria-posinset": options.siblings.place,
      "aria-setsize": options.siblings.size,
      "aria-selected": String(span.id === options.state.selected),
      "aria-expanded": span.descendants > 0 ? String(options.isExpanded) : null,
    },
    gutter(trace, span, options),
    track(trace, span, options),
  );
  element.style.setProperty("top", `${options.row * ROW_HEIGHT}px`);
  return element;
}

/** @param {SpanRow} span @param {RowState} options */
function classes(span, { state: { selected, matches }, index }) {
  return [
    "span",
    span.id === selected && "selected",
    span.error && "failed",
    matches !== null && (matches.has(index) ? "hit" : "miss"),
  ]
    .filter(Boolean)
    .join(" ");
}

/** @param {Trace} trace @param {SpanRow} span @param {RowState} options */
function gutter(trace, span, options) {
  const service = trace.services[span.service];
  const isCollapsed = span.descendants > 0 && !options.isExpanded;
  const callee = calleeLabel(trace, options.index);
  const outcome = outcomeLabel(span);
  const element = el(
    "div",
    { class: "gutter" },
    span.descendants > 0
      ? foldButton(span, options)
      : el("span", { class: "fold" }),
    el("span", { class: `dot ${colourClass(service)}` }),
    span.error &&
      el(
        "span",
        {
          class: "cross",
          role: "img",
          "aria-label": texts.span.error,
          title: span.message ? isolate(span.message) : texts.span.error,
        },
        "✕",
      ),
    el(
      "span",
      {
        class: "label",
        title: `${isolate(service)} · ${isolate(span.name)}${callee && ` ${isolate(callee)}`}`,
      },
      el("b", {}, untrusted(service)),
      " ",
      untrusted(span.name, texts.noName),
      callee && [" ", el("span", { class: "peer" }, untrusted(callee))],
    ),
    outcome && el("span", { class: "answer" }, untrusted(outcome)),
    el("span", { class: "kind" }, kindLabel(span)),
    isCollapsed && el("em", { class: "tag" }, `+${span.descendants}`),
    badges(span, trace.trace_id).map(({ text, title }) =>
      el("em", { class: "tag warn", title }, text),
    ),
  );
  element.style.setProperty("--depth", String(span.depth));
  return element;
}

/** @param {SpanRow} span @param {RowState} options */
function foldButton(span, { isExpanded, onToggle }) {
  const onclick = (/** @type {Event} */ event) => {
    event.stopPropagation();
    onToggle();
  };
  const descendants = count(span.descendants, "descendant");
  const title = isExpanded
    ? texts.trace.collapse(descendants)
    : texts.trace.expand(descendants);
  return el(
    "button",
    {
      type: "button",
      class: "fold",
      tabindex: "-1",
      "aria-hidden": "true",
      title,
      onclick,
    },
    isExpanded ? "▾" : "▸",
  );
}

/** @param {Trace} trace @param {SpanRow} span @param {RowState} options */
function track({ services, duration_ns: total }, span, { state, width }) {
  const { window } = state;
  const simulated = span.simulated ? " simulated" : "";
  const colour = colourClass(services[span.service]);
  const end = span.offset_ns + span.duration_ns;
  const critical = state.showCritical ? span.critical : [];
  return el(
    "div",
    { class: "track" },
    piece(`bar ${colour}${simulated}`, segment(span.offset_ns, end, window)),
    segments(critical, window, 100 / Math.max(1, width)).map((one) =>
      piece("critical", one),
    ),
    span.events.map(([offset, name]) =>
      eventMark(name, offset, eventPosition(offset, window, total)),
    ),
    durationLabel(span, labelPosition(span, window)),
  );
}

/**
 * @param {string} name
 * @param {{ left: number, width: number } | null} segment in percent
 */
function piece(name, segment) {
  if (segment === null) return null;
  const element = el("i", { class: name });
  element.style.setProperty("left", `${segment.left}%`);
  element.style.setProperty("width", `${segment.width}%`);
  return element;
}

/** @param {string} name @param {number} offset @param {number | null} percent */
function eventMark(name, offset, percent) {
  if (percent === null) return null;
  const title = texts.trace.eventAt(isolate(name), duration(offset));
  const mark = el("i", {
    class: `event${name === "exception" ? " bad" : ""}`,
    title,
  });
  mark.style.setProperty("left", `${percent}%`);
  return mark;
}

/** @param {SpanRow} span @param {ReturnType<typeof labelPosition>} position */
function durationLabel({ duration_ns, simulated }, { percent, arrow }) {
  const took = duration(duration_ns);
  // Beyond the end of the track there is room for the time only.
  const isWhole = simulated && percent < 60 && arrow === "";
  const label = el(
    "span",
    { class: "time" },
    arrow && `${arrow} `,
    isWhole ? texts.trace.simulated(took) : took,
    simulated &&
      !isWhole &&
      el("span", { class: "off" }, " ", texts.span.simulated),
  );
  label.style.setProperty("left", `calc(${percent}% + 6px)`);
  return label;
}
