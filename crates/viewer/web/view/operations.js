// The table of a trace's operations. It is filled while it is open.

import { colourClass } from "../model/colour.js";
import { duration } from "../model/format.js";
import { operations, sortOperations } from "../model/operations.js";
import { el, untrusted } from "./dom.js";

/** @typedef {import('../types.d.ts').Trace} Trace */
/** @typedef {import('../model/operations.js').Column} Column */

/** @type {[Column, string, string][]} */
const COLUMNS = [
  ["service", "Service", ""],
  ["name", "Operation", ""],
  ["count", "Spans", ""],
  ["errors", "Errors", ""],
  ["selfNs", "Own time", "Time in which no child ran, added up"],
  ["criticalNs", "Critical", "Time that the response waited for it"],
  ["totalNs", "Total", "All durations, added up"],
];
/** More rows than this would be slow to draw. */
const MAX_ROWS = 500;

/** @param {(id: string) => void} onGo with the span that took the most time */
export function operationTable(onGo) {
  /** @type {Trace | null} */
  let trace = null;
  /** @type {Column} */
  let column = "selfNs";
  let isReversed = false;
  const headers = COLUMNS.map(([name, text, title]) => {
    const button = el(
      "button",
      { type: "button", class: "quiet", title, onclick: () => sortBy(name) },
      text,
    );
    return el("th", { scope: "col" }, button);
  });
  const body = el("tbody", {});
  const note = el("p", { class: "note", hidden: true });
  const element = el(
    "details",
    { class: "operations", ontoggle: draw },
    el("summary", {}, "Operations"),
    el(
      "div",
      { class: "wide-table", tabindex: "0", role: "group" },
      el(
        "table",
        { "aria-label": "Operations" },
        el("thead", {}, el("tr", {}, headers)),
        body,
      ),
    ),
    note,
  );

  /** @param {Column} name */
  function sortBy(name) {
    isReversed = name === column && !isReversed;
    column = name;
    draw();
  }

  function draw() {
    if (trace === null || !element.open) return;
    const { spans } = trace;
    const all = sortOperations(operations(trace), column, isReversed);
    headers.forEach((header, at) => {
      const [name] = COLUMNS[at];
      const isAscending =
        (column === "service" || column === "name") !== isReversed;
      if (name !== column) header.removeAttribute("aria-sort");
      else
        header.setAttribute(
          "aria-sort",
          isAscending ? "ascending" : "descending",
        );
    });
    body.replaceChildren(
      ...all.slice(0, MAX_ROWS).map((one) => row(one, spans[one.slowest].id)),
    );
    note.hidden = all.length <= MAX_ROWS;
    note.textContent = `The first ${MAX_ROWS} of ${all.length} are shown.`;
  }

  /** @param {import('../model/operations.js').Operation} one @param {string} id */
  function row(one, id) {
    const go = {
      type: "button",
      class: "go",
      title: "Go to the one that took the most time of its own",
      onclick: () => onGo(id),
    };
    return el(
      "tr",
      {},
      el(
        "td",
        {},
        el("span", { class: `dot ${colourClass(one.service)}` }),
        " ",
        untrusted(one.service),
      ),
      el("td", {}, el("button", go, untrusted(one.name, "(no name)"))),
      el("td", {}, one.count),
      el("td", { class: one.errors > 0 ? "bad" : "" }, one.errors),
      el("td", {}, duration(one.selfNs)),
      el("td", {}, duration(one.criticalNs)),
      el("td", {}, duration(one.totalNs)),
    );
  }

  return {
    element,
    /** @param {Trace} shown */
    show(shown) {
      trace = shown;
      draw();
    },
  };
}
