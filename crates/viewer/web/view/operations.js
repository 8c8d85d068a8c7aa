// The table of a trace's operations. It is filled while it is open.

import { colourClass } from "../model/colour.js";
import { duration, integer } from "../model/format.js";
import { operations, sortOperations } from "../model/operations.js";
import { texts } from "../texts.js";
import { el, untrusted } from "./dom.js";

/** @typedef {import('../types.d.ts').Trace} Trace */
/** @typedef {import('../model/operations.js').Column} Column */

/** @type {[Column, string, string][]} */
const COLUMNS = [
  ["service", texts.service, ""],
  ["name", texts.operation, ""],
  ["count", texts.operations.spans, ""],
  ["errors", texts.operations.errors, ""],
  ["selfNs", texts.operations.own, texts.operations.ownTitle],
  ["criticalNs", texts.operations.critical, texts.operations.criticalTitle],
  ["totalNs", texts.operations.total, texts.operations.totalTitle],
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
    el("summary", {}, texts.operations.title),
    el(
      "div",
      { class: "wide-table", tabindex: "0", role: "group" },
      el(
        "table",
        { "aria-label": texts.operations.title },
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
    note.textContent = texts.operations.first(
      integer(MAX_ROWS),
      integer(all.length),
    );
  }

  /** @param {import('../model/operations.js').Operation} one @param {string} id */
  function row(one, id) {
    const go = {
      type: "button",
      class: "go",
      title: texts.operations.go,
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
      el("td", {}, el("button", go, untrusted(one.name, texts.noName))),
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
