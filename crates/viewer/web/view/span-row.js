// A span as a row of the waterfall: its name beside its bar.

import { colourClass } from "../model/colour.js";
import { count, duration } from "../model/format.js";
import {
  ROW_HEIGHT,
  eventPosition,
  labelPosition,
  segment,
} from "../model/geometry.js";
import { accessibleName, badges, kindLabel, peerLabel } from "../model/span.js";
import { isolate } from "../model/text.js";
import { el, untrusted } from "./dom.js";

/** @typedef {import('../types.d.ts').Trace} Trace */
/** @typedef {import('../types.d.ts').SpanRow} SpanRow */

/**
 * @typedef {object} RowState
 * @property {number} row
 * @property {boolean} isSelected
 * @property {boolean} isExpanded
 * @property {boolean | null} isMatch null when nothing is searched
 * @property {boolean} showCritical
 * @property {() => void} onSelect
 * @property {() => void} onToggle collapses or expands
 */

const MAX_INDENT = 24;

/** @param {Trace} trace @param {SpanRow} span @param {RowState} state */
export function spanRow(trace, span, state) {
  const service = trace.services[span.service];
  const element = el(
    "div",
    {
      id: `s-${span.id}`,
      class: classes(span, state),
      role: "treeitem",
      "aria-level": span.depth + 1,
      "aria-selected": state.isSelected,
      "aria-expanded": span.descendants > 0 ? String(state.isExpanded) : null,
      "aria-label": accessibleName(span, service),
      onclick: state.onSelect,
    },
    gutter(trace, span, state),
    track(trace, span, state),
  );
  element.style.setProperty("top", `${state.row * ROW_HEIGHT}px`);
  return element;
}

/** @param {SpanRow} span @param {RowState} state */
function classes(span, { isSelected, isMatch }) {
  const match = isMatch ? "hit" : "miss";
  return [
    "span",
    isSelected && "selected",
    span.error && "failed",
    isMatch !== null && match,
  ]
    .filter(Boolean)
    .join(" ");
}

/** @param {Trace} trace @param {SpanRow} span @param {RowState} state */
function gutter(trace, span, state) {
  const service = trace.services[span.service];
  const isCollapsed = span.descendants > 0 && !state.isExpanded;
  const element = el(
    "div",
    { class: "gutter" },
    span.descendants > 0
      ? foldButton(span, state)
      : el("span", { class: "fold" }),
    el("span", { class: `dot ${colourClass(service)}` }),
    span.error &&
      el(
        "span",
        {
          class: "cross",
          title: span.message ? isolate(span.message) : "error",
        },
        "✕",
      ),
    el(
      "span",
      { class: "label", title: `${isolate(service)} · ${isolate(span.name)}` },
      el("b", {}, untrusted(service)),
      " ",
      untrusted(span.name, "(no name)"),
      span.peer && [
        " ",
        el("span", { class: "peer" }, untrusted(peerLabel(span))),
      ],
    ),
    el("span", { class: "kind" }, kindLabel(span)),
    isCollapsed && el("em", { class: "tag" }, `+${span.descendants}`),
    badges(span, trace.trace_id).map(({ text, title }) =>
      el("em", { class: "tag warn", title }, text),
    ),
  );
  element.style.setProperty(
    "padding-left",
    `${Math.min(span.depth, MAX_INDENT) * 14 + 4}px`,
  );
  return element;
}

/** @param {SpanRow} span @param {RowState} state */
function foldButton(span, { isExpanded, onToggle }) {
  const onclick = (/** @type {Event} */ event) => {
    event.stopPropagation();
    onToggle();
  };
  const title = `${isExpanded ? "Collapse" : "Expand"} ${count(span.descendants, "descendant")}`;
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

/** @param {Trace} trace @param {SpanRow} span @param {RowState} state */
function track({ services, duration_ns: total }, span, { showCritical }) {
  const simulated = span.simulated ? " simulated" : "";
  const bar = el("div", {
    class: `bar ${colourClass(services[span.service])}${simulated}`,
  });
  place(bar, segment(span.offset_ns, span.offset_ns + span.duration_ns, total));
  const critical = showCritical ? span.critical : [];
  return el(
    "div",
    { class: "track" },
    bar,
    critical.map(([from, to]) =>
      place(el("i", { class: "critical" }), segment(from, to, total)),
    ),
    span.events.map(([offset, name]) =>
      eventMark(name, offset, eventPosition(offset, total)),
    ),
    durationLabel(
      `${duration(span.duration_ns)}${simulated}`,
      labelPosition(span, total),
    ),
  );
}

/**
 * @template {HTMLElement} Target
 * @param {Target} element
 * @param {{ left: number, width: number }} segment in percent
 */
function place(element, { left, width }) {
  element.style.setProperty("left", `${left}%`);
  element.style.setProperty("width", `${width}%`);
  return element;
}

/** @param {string} name @param {number} offset @param {number} percent */
function eventMark(name, offset, percent) {
  const title = `${isolate(name)} at ${duration(offset)}`;
  const mark = el("i", {
    class: `event${name === "exception" ? " bad" : ""}`,
    title,
  });
  mark.style.setProperty("left", `${percent}%`);
  return mark;
}

/** @param {string} text @param {ReturnType<typeof labelPosition>} position */
function durationLabel(text, { side, percent, isInside }) {
  const label = el("span", { class: isInside ? "time inside" : "time" }, text);
  label.style.setProperty(side, `calc(${percent}% + 6px)`);
  return label;
}
