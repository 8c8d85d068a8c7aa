// Asks the viewer's API, which docs/viewer-api.md describes.

import { toQuery } from "./model/filters.js";
import { texts } from "./texts.js";

/** @typedef {import('./types.d.ts').Parameters} Parameters */
/** @typedef {import('./types.d.ts').TracePage} TracePage */
/** @typedef {import('./types.d.ts').Trace} Trace */
/** @typedef {import('./types.d.ts').SpanDetails} SpanDetails */
/** @typedef {import('./types.d.ts').ServiceCounts} ServiceCounts */
/** @typedef {import('./types.d.ts').Facets} Facets */
/** @typedef {import('./types.d.ts').TraceGroups} TraceGroups */
/** @typedef {import('./types.d.ts').Graph} Graph */
/** @typedef {import('./types.d.ts').StoreCounts} StoreCounts */
/** @typedef {import('./types.d.ts').EventStream} EventStream */

/** From the page's address, which may be below a prefix. */
const ROOT = "api";
/** In milliseconds. After it a response counts as lost; the next poll asks again. */
const TIMEOUT = 30000;

/** A problem that the API answered with. */
export class ApiError extends Error {
  /** @param {number} status @param {string} detail */
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

/** @returns {Promise<StoreCounts>} */
export const getCounts = () => get("counts");

/** Says when something has changed. @returns {EventStream} */
export const openEvents = () => new EventSource(`${ROOT}/events`);

/** @param {Parameters} parameters @returns {Promise<TracePage>} */
export const getTraces = (parameters) => get("traces", parameters);

/** @param {string} id @returns {Promise<Trace>} */
export const getTrace = (id) => get(tracePath(id));

/** @param {string} id @param {string} spanId @returns {Promise<SpanDetails>} */
export const getSpan = (id, spanId) =>
  get(`${tracePath(id)}/spans/${encodeURIComponent(spanId)}`);

/** The ids of the spans that meet a query. @param {string} id @param {string} q @returns {Promise<{ spans: string[] }>} */
export const getHits = (id, q) => get(`${tracePath(id)}/hits`, { q });

/** What the spans of a trace have. @param {string} id @returns {Promise<{ spans: number, keys: Facets['keys'] }>} */
export const getTraceFacets = (id) => get(`${tracePath(id)}/facets`);

/** @returns {Promise<{ services: ServiceCounts[] }>} */
export const getServices = () => get("services");

/** @param {Parameters} parameters @returns {Promise<Facets>} */
export const getFacets = (parameters) => get("facets", parameters);

/** @param {Parameters} parameters @returns {Promise<TraceGroups>} */
export const getGroups = (parameters) => get("traces/groups", parameters);

/** @returns {Promise<Graph>} */
export const getGraph = () => get("graph");

/** What the page has to know about the app. @returns {Promise<{ process: string, in_memory: boolean }>} */
export const getApp = () => get("app");

/**
 * @param {string} endpoint
 * @param {Parameters} [parameters]
 */
async function get(endpoint, parameters = {}) {
  const response = await fetch(`${ROOT}/${endpoint}?${toQuery(parameters)}`, {
    signal: AbortSignal.timeout(TIMEOUT),
  });
  if (!response.ok) throw await toError(response);
  return response.json();
}

/** Deletes all traces. */
export async function deleteTraces() {
  await change("DELETE", "traces");
}

/** Pins a trace, so that it is kept. @param {string} id */
export async function pin(id) {
  await change("PUT", `${tracePath(id)}/pin`);
}

/** @param {string} id */
export async function unpin(id) {
  await change("DELETE", `${tracePath(id)}/pin`);
}

/** @param {'PUT' | 'DELETE'} method @param {string} endpoint */
async function change(method, endpoint) {
  const response = await fetch(`${ROOT}/${endpoint}`, { method });
  if (!response.ok) throw await toError(response);
}

/** Reports that a trace is viewed, so that it is kept. @param {string} id */
export async function reportViewed(id) {
  await fetch(`${ROOT}/${tracePath(id)}`, {
    method: "HEAD",
    signal: AbortSignal.timeout(TIMEOUT),
  });
}

/** The address of the app, without a slash at the end. */
export function appAddress() {
  return new URL("..", location.href).href.replace(/\/$/, "");
}

/** Where a trace can be downloaded as OTLP. @param {string} id */
export function otlpAddress(id) {
  return `${ROOT}/${tracePath(id)}/otlp`;
}

/** @param {string} id */
function tracePath(id) {
  return `traces/${encodeURIComponent(id)}`;
}

/** @param {Response} response */
async function toError(response) {
  const body = await response.json().catch(() => ({}));
  return new ApiError(
    response.status,
    body.detail ?? texts.page.response(response.status),
  );
}
