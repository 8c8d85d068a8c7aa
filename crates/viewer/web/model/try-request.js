// Turns the form of "Try it" into a request, and reads the response.

import { texts } from "../texts.js";
import { parseReport } from "./report.js";

/** What is wrong in a field of the form. */
export class FieldError extends Error {
  /** @param {string} field @param {string} message */
  constructor(field, message) {
    super(message);
    this.field = field;
  }
}

/** @typedef {{ path: string, headers: Record<string, string>, body: string }} TryRequest */

/** The faults that a request can ask for, by their field. */
export const FAULTS = {
  errors: ["100", "50", "503:100", "429:50", "503:20,429:10"],
  latency: ["200ms", "2s", "50ms..250ms", "p50:20ms,p99:900ms"],
  telemetry: [
    "span=lost",
    "span=twice",
    "context=drop",
    "context=malformed",
    "context=new",
    "clock=-2s",
    "clock=+150ms",
    "end=before-start",
    "export=late:30s",
    "export=reversed",
    "export=split",
    "trace=reused",
    "name=cardinality",
    "attributes=200x1KB",
    "status=ok-over-error",
  ],
};

/**
 * The request that a form describes. Throws a FieldError when the service can't
 * be named in baggage, or the path is none.
 * @param {FormData} form
 * @returns {TryRequest}
 */
export function buildRequest(form) {
  /** @type {Record<string, string>} */
  const headers = { "content-type": "application/json" };
  const baggage = faultsToBaggage(form);
  if (baggage) headers.baggage = baggage;
  const path = String(form.get("path") || "/process").trim();
  if (!/^\/(?!\/)[^\s?#]*$/.test(path))
    throw new FieldError("path", texts.tryIt.noPath(path));
  return {
    path: form.get("report") ? `${path}?report` : path,
    headers,
    body: String(form.get("payload") ?? ""),
  };
}

/** @param {FormData} form */
function faultsToBaggage(form) {
  const field = (/** @type {string} */ name) =>
    String(form.get(name) ?? "").trim();
  const service = field("service") || "*";
  const members = Object.keys(FAULTS)
    .filter((name) => field(name) !== "")
    .map((name) => {
      // A percentage of telemetry faults is a property of the member.
      const [value, share] = field(name).split(/;\s*(?=p=[\d.]+$)/);
      const property = share === undefined ? "" : `;${share}`;
      return `tail.${baggageKey(service)}.${name}=${encodeURIComponent(value)}${property}`;
    });
  if (field("seed"))
    members.push(`tail.seed=${encodeURIComponent(field("seed"))}`);
  return members.join(",");
}

// A baggage key is a token of RFC 9110.
/** @param {string} service */
function baggageKey(service) {
  if (!/^[\w!#$%&'*+\-.^\x60|~]+$/.test(service))
    throw new FieldError("service", texts.tryIt.noService(service));
  return service;
}

/**
 * A request as a line for a shell.
 * @param {TryRequest} request
 * @param {string} app its address, without a slash at the end
 */
export function curlLine({ path, headers, body }, app) {
  const quoted = (/** @type {string} */ text) =>
    `'${text.replaceAll("'", "'\\''")}'`;
  const parts = [
    "curl -i -X POST",
    quoted(app + path),
    ...Object.entries(headers).map((pair) => `-H ${quoted(pair.join(": "))}`),
    `-d ${quoted(body)}`,
  ];
  return parts.join(" ");
}

/**
 * The field of the form that a response complains of, or a hop of its report;
 * null where it is none.
 * @param {number} status
 * @param {string} body
 * @returns {FieldError | null}
 */
export function refusedField(status, body) {
  const refusals = [{ status, error: errorOf(body) }, ...refusedHops(body)];
  for (const { status, error } of refusals) {
    if (!error) continue;
    if (status === 404) return new FieldError("path", error);
    if (status === 422) return new FieldError("payload", error);
    if (status === 400)
      return new FieldError(faultField(error) ?? "payload", error);
  }
  return null;
}

/** The field of a fault that a message names. @param {string} message */
function faultField(message) {
  const found = /\btail\.(?:(seed)\b|\S+?\.(errors|latency|telemetry)\b)/;
  const [, seed, fault] = found.exec(message) ?? [];
  return seed ?? fault;
}

/** The message of a body that is no report. @param {string} body */
function errorOf(body) {
  if (parseReport(body)) return "";
  try {
    const { error, detail } = JSON.parse(body);
    return String(error ?? detail ?? body);
  } catch {
    return body;
  }
}

/** The hops of a report that have refused their request. @param {string} body */
function refusedHops(body) {
  return (parseReport(body)?.hops ?? []).filter(
    (hop) => hop.outcome === "rejected",
  );
}

/** The trace id of a `traceresponse` header. @param {string | null} header */
export function responseTraceId(header) {
  return header?.split("-")[1];
}

/** JSON, indented; other text as it is. @param {string} text */
export function indentJson(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
