// The report of a request: tables of its hops and of their calls.

import { duration } from "../model/format.js";
import { hopRows, leftOut } from "../model/report.js";
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
    { class: "report" },
    table(
      "Hops",
      ["Service", "Status", "Outcome", "Reason", "Latency", "Duration"],
      rows.map(hop),
    ),
    rows.some((row) => row.tries.length > 0) &&
      table("Calls", ["From", "To", "Try", "Outcome", "Duration"], calls(rows)),
    missing.length > 0 && [
      el("h2", {}, "Left out"),
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
    el("td", {}, row.number > 0 && `${row.number} of ${row.of}`),
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
