// A trace as a row of the list.

import { colourClass } from "../model/colour.js";
import {
  count,
  duration,
  timeAgo,
  timestamp,
  toMillis,
} from "../model/format.js";
import { logShare } from "../model/list-stats.js";
import { isolate } from "../model/text.js";
import { texts } from "../texts.js";
import { el, untrusted } from "./dom.js";

/** @typedef {import('../types.d.ts').TraceSummary} TraceSummary */

const MAX_SERVICES = 4;

/**
 * The row, whose age and bar follow the time and the other rows.
 * @param {TraceSummary} summary
 */
export function traceRow(summary) {
  const start = toMillis(summary.start_ns);
  const time = el(
    "time",
    { datetime: new Date(start).toISOString(), title: timestamp(start) },
    timeAgo(start, Date.now()),
  );
  const fill = el("span", { class: `fill ${colourClass(summary.service)}` });
  const { errors } = summary;
  const link = el(
    "a",
    {
      class: "row",
      href: `#/trace/${summary.trace_id}`,
      "data-id": summary.id,
    },
    time,
    title(summary),
    el("span", { class: "parts" }, services(summary)),
    el("span", { class: "number" }, count(summary.spans, "span")),
    el(
      "span",
      { class: errors ? "number bad" : "number none" },
      errors ? `✕ ${count(errors, "error")}` : texts.noErrors,
    ),
    el(
      "span",
      { class: "took" },
      el("span", { class: "length" }, fill),
      el("span", {}, duration(summary.duration_ns)),
    ),
  );
  return {
    link,
    element: el("li", {}, link),
    /** @param {number} now */
    updateAge(now) {
      time.textContent = timeAgo(start, now);
    },
    /** On a scale of logarithms. @param {{ min: number, max: number }} range */
    scaleBar(range) {
      const share = logShare(summary.duration_ns, range);
      fill.style.setProperty("width", `${share}%`);
    },
    /** Whether its trace is shown beside the list. @param {boolean} isOpen */
    setOpen(isOpen) {
      if (isOpen) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    },
  };
}

/** @param {TraceSummary} summary */
function title({ service, name, rooted, pinned, incomplete, ...failure }) {
  return el(
    "span",
    { class: "what" },
    el("span", { class: `dot ${colourClass(service)}`, "aria-hidden": "true" }),
    el("strong", {}, untrusted(service)),
    " ",
    el("span", { class: "name" }, untrusted(name, texts.noName)),
    !rooted &&
      el(
        "em",
        { class: "tag", title: texts.row.noRootTitle },
        texts.row.noRoot,
      ),
    failureTags(failure),
    pinned &&
      el(
        "em",
        { class: "tag", title: texts.row.pinnedTitle },
        texts.row.pinned,
      ),
    incomplete &&
      el(
        "em",
        {
          class: "tag warn",
          title: texts.row.incompleteTitle(count(incomplete.refused, "span")),
        },
        texts.row.incomplete,
      ),
  );
}

/**
 * Where the error began, and whether the root has one.
 * @param {Pick<TraceSummary, 'root_error' | 'error_service'>} failure
 */
function failureTags({ root_error: root, error_service: service }) {
  if (service === null) return [];
  const title = texts.row.errorInTitle;
  return [
    el(
      "em",
      { class: "tag bad", title },
      texts.row.errorIn,
      " ",
      untrusted(service),
    ),
    root === false &&
      el(
        "em",
        { class: "tag", title: texts.row.rootOkTitle },
        texts.row.rootOk,
      ),
  ];
}

/** @param {TraceSummary} summary */
function services({ services, more_services: more }) {
  const chips = services
    .slice(0, MAX_SERVICES)
    .map(({ name, spans, errors }) => {
      const title = `${isolate(name)}: ${count(spans, "span")}, ${count(errors, "error")}`;
      return el(
        "span",
        { class: `chip ${colourClass(name)}${errors ? " failed" : ""}`, title },
        untrusted(name),
        " ",
        el("b", {}, spans),
      );
    });
  const hidden = services.length - chips.length + more;
  if (hidden === 0) return chips;
  const names = services.slice(MAX_SERVICES).map(({ name }) => isolate(name));
  const rest = more > 0 ? [...names, texts.row.more(more)] : names;
  const title = rest.join(", ");
  return [...chips, el("span", { class: "chip", title }, `+${hidden}`)];
}
