// The report of a request: tables of its hops and of their calls.

import { duration } from "../model/format.js";
import { hopRows, leftOut } from "../model/report.js";
import { texts } from "../texts.js";
import { el, untrusted } from "./dom.js";

/** @typedef {import('../types.d.ts').Report} Report */
/** @typedef {import('../types.d.ts').HopRow} HopRow */
/** @typedef {import('../types.d.ts').TryRow} TryRow */

/** @param {Report} report */
export function reportView(report) {
  const rows = hopRows(report);
  const missing = leftOut(report);
  return el(
    "div",
    {
      class: "report",
      tabindex: "0",
      role: "group",
      "aria-label": texts.report.title,
    },
    table(
      texts.report.hops,
      [
        texts.service,
        texts.status,
        texts.outcome,
        texts.report.reason,
        texts.tryIt.latency,
        texts.duration,
      ],
      rows.map(hop),
    ),
    rows.some((row) => row.tries.length > 0) &&
      table(
        texts.report.calls,
        [
          texts.report.from,
          texts.report.to,
          texts.report.try,
          texts.outcome,
          texts.duration,
        ],
        calls(rows),
      ),
    missing.length > 0 && [
      el("h2", {}, texts.report.leftOut),
      el(
        "ul",
        {},
        missing.map((sentence) => el("li", {}, untrusted(sentence))),
      ),
    ],
  );
}

/**
 * @param {string} caption
 * @param {string[]} heads
 * @param {HTMLElement[]} rows
 */
function table(caption, heads, rows) {
  return el(
    "table",
    {},
    el("caption", {}, caption),
    el(
      "thead",
      {},
      el(
        "tr",
        {},
        heads.map((head) => el("th", { scope: "col" }, head)),
      ),
    ),
    el("tbody", {}, rows),
  );
}

/** @param {HopRow} row */
function hop(row) {
  return el(
    "tr",
    { class: row.failed ? "bad" : null },
    el("th", { scope: "row" }, "· ".repeat(row.depth), untrusted(row.service)),
    el("td", {}, row.status),
    el(
      "td",
      {},
      row.outcome,
      row.error && el("small", {}, untrusted(row.error)),
      row.faults && el("small", {}, untrusted(row.faults)),
    ),
    el("td", {}, row.reason),
    el(
      "td",
      {},
      row.latency_ns !== null && [
        duration(row.latency_ns),
        el("small", {}, row.latency_reason),
      ],
    ),
    el("td", {}, time(row.duration_ns)),
  );
}

/** @param {HopRow[]} rows */
function calls(rows) {
  return rows.flatMap((row) => row.tries.map((one) => call(row.service, one)));
}

/** @param {string} service @param {TryRow} row */
function call(service, row) {
  return el(
    "tr",
    { class: row.failed ? "bad" : null },
    el("td", {}, untrusted(service)),
    el("td", {}, untrusted(row.url)),
    el("td", {}, row.number > 0 && texts.report.tryOf(row.number, row.of ?? 0)),
    el(
      "td",
      {},
      untrusted(row.outcome),
      row.faults && el("small", {}, untrusted(row.faults)),
    ),
    el("td", {}, time(row.duration_ns)),
  );
}

/** @param {number | null | undefined} ns */
function time(ns) {
  return typeof ns === "number" && duration(ns);
}
