// Reads the report of a request: its hops as rows, their calls with each try,
// and what the report leaves out (docs/report.schema.json).

import { texts } from "../texts.js";
import { count } from "./format.js";

/** @typedef {import('../types.d.ts').Report} Report */
/** @typedef {import('../types.d.ts').ReportHop} ReportHop */
/** @typedef {import('../types.d.ts').ReportCall} ReportCall */
/** @typedef {import('../types.d.ts').HopRow} HopRow */
/** @typedef {import('../types.d.ts').TryRow} TryRow */
/** @typedef {import('../types.d.ts').LeftOut} LeftOut */

/** The version of the format that this page knows. */
const VERSION = 2;

/**
 * The report in a body, or null if the body is none of the known version.
 * @param {string} text
 * @returns {Report | null}
 */
export function parseReport(text) {
  try {
    const report = JSON.parse(text);
    const lists = [report.hops, report.spans, report.left_out];
    const known = report.version === VERSION && lists.every(Array.isArray);
    return known ? report : null;
  } catch {
    return null;
  }
}

/**
 * The hops as rows, in the report's order; each is as deep as the calls that
 * led to it.
 * @param {Report} report
 * @returns {HopRow[]}
 */
export function hopRows(report) {
  const callers = callersOf(report);
  const faults = faultsOf(report);
  /** @type {Map<string, number>} */
  const depths = new Map();
  return report.hops.map((hop) => {
    const caller = callers.get(hop.span_id ?? "");
    const depth = caller === undefined ? 0 : (depths.get(caller) ?? 0);
    const calls = list(hop.calls);
    for (const { span_id } of calls.flatMap((call) => list(call.tries)))
      if (span_id) depths.set(span_id, depth + 1);
    return {
      service: String(hop.service),
      depth,
      status: hop.status,
      failed: hop.outcome !== "ok",
      outcome: words(hop.outcome),
      reason: hop.reason ?? "",
      error: hop.error ?? "",
      faults: faults.get(hop.span_id ?? "") ?? "",
      latency_ns: hop.latency ? Math.round(hop.latency.ms * 1e6) : null,
      latency_reason: hop.latency?.reason ?? "",
      duration_ns: elapsed(hop),
      tries: calls.flatMap((call) => tryRows(call, faults)),
    };
  });
}

/** The CLIENT span that called each SERVER span. @param {Report} report */
function callersOf(report) {
  /** @type {Map<string, string>} */
  const callers = new Map();
  for (const span of report.spans)
    if (span.kind === "SERVER" && span.parent_span_id)
      callers.set(span.span_id, span.parent_span_id);
  return callers;
}

/** What was done to each span on purpose. @param {Report} report */
function faultsOf(report) {
  /** @type {Map<string, string>} */
  const faults = new Map();
  for (const span of report.spans) {
    const names = list(span.faults ?? []);
    if (names.length > 0) faults.set(span.span_id, names.join(", "));
  }
  return faults;
}

/**
 * The tries of a call; one row without a try for a call that was not made.
 * @param {ReportCall} call
 * @param {Map<string, string>} faults
 * @returns {TryRow[]}
 */
function tryRows(call, faults) {
  const url = String(call.url);
  const tries = list(call.tries);
  if (tries.length === 0)
    return [{ url, outcome: words(call.outcome), failed: false, number: 0 }];
  return tries.map((one, index) => ({
    url,
    outcome: tryOutcome(one),
    failed: one.error !== undefined,
    faults: faults.get(one.span_id ?? "") ?? "",
    number: index + 1,
    of: tries.length,
    duration_ns: elapsed(one),
  }));
}

/** @param {{ status?: number, error?: string }} one */
function tryOutcome({ status, error }) {
  const said = [status, error && words(error)].filter(Boolean).map(String);
  return [...new Set(said)].join(" · ");
}

/**
 * What the report leaves out, a sentence for each entry.
 * @param {Report} report
 * @returns {string[]}
 */
export function leftOut(report) {
  return report.left_out.map((entry) => {
    if (entry.reason === "no_report") return texts.report.noReport(entry.hop);
    const { spans = 0, hops = 0 } = entry;
    return texts.report.tooLarge(
      entry.hop,
      count(spans, "span"),
      count(hops, "hop"),
    );
  });
}

/**
 * Nanoseconds between two times, which are text; a number would lose digits.
 * @param {{ start_unix_nano: string, end_unix_nano: string }} times
 */
function elapsed({ start_unix_nano, end_unix_nano }) {
  try {
    return Number(BigInt(end_unix_nano) - BigInt(start_unix_nano));
  } catch {
    return null;
  }
}

/** @param {unknown} name */
function words(name) {
  return String(name).replaceAll("_", " ");
}

/**
 * A list of the report; a service of another make may have sent anything.
 * @template Item
 * @param {Item[]} value
 * @returns {Item[]}
 */
function list(value) {
  return Array.isArray(value) ? value : [];
}
