// The list's filters: from the form and the page's address to the API's
// parameters, and back.

import { texts } from "../texts.js";
import { shapeLabel } from "./shape.js";

/**
 * @typedef {object} Filters
 * @property {string} q the query
 * @property {string} since minutes: a period that ends now
 * @property {string} from milliseconds since 1970
 * @property {string} to
 * @property {string} min_duration in milliseconds, of the trace
 * @property {string} max_duration
 * @property {string} text the rest comes from links, such as those of the map
 * @property {string[]} service
 * @property {string[]} attribute each as `key=value`
 * @property {string[]} calls each as `caller>callee`
 * @property {string} errors `true` or empty
 * @property {string} unrouted `true` or empty
 * @property {string} shape of a group, a JSON array
 */

const TEXTS = /** @type {const} */ ([
  "q",
  "since",
  "from",
  "to",
  "min_duration",
  "max_duration",
  "text",
  "errors",
  "unrouted",
  "shape",
]);
const LISTS = /** @type {const} */ (["service", "attribute", "calls"]);

/** The periods of the time range, in minutes. @type {[string, string][]} */
export const PERIODS = [
  ["", texts.filters.anyTime],
  ["1", texts.filters.lastMinute],
  ["5", texts.filters.last5],
  ["15", texts.filters.last15],
  ["60", texts.filters.lastHour],
  ["1440", texts.filters.lastDay],
  ["range", texts.filters.range],
];

/**
 * Reads the filters of an address.
 * @param {URLSearchParams} query
 * @returns {Filters}
 */
export function readFilters(query) {
  const filters = /** @type {Filters} */ ({});
  for (const name of TEXTS) filters[name] = (query.get(name) ?? "").trim();
  for (const name of LISTS)
    filters[name] = query.getAll(name).filter((one) => one !== "");
  return filters;
}

/**
 * The filters as the query of an address; empty ones are left out.
 * @param {Filters} filters
 */
export function filtersToQuery(filters) {
  return toQuery({ ...filters }).toString();
}

/**
 * The filters as parameters of a request.
 * @param {Filters} filters
 * @param {number} now milliseconds since 1970: where a period ends
 * @returns {import('../types.d.ts').Parameters}
 */
export function toParameters({ since, ...filters }, now) {
  const minutes = Number(since);
  return minutes ? { ...filters, from: now - minutes * 60000 } : filters;
}

/** Whether any filter is set. @param {Filters} filters */
export function isFiltered(filters) {
  return Object.values(filters)
    .flat()
    .some((value) => value !== "");
}

/** @typedef {{ name: keyof Filters, value: string, label: string }} Chip */

/**
 * The filters that have no field of their own, each as a chip that can be
 * removed.
 * @param {Filters} filters
 * @returns {Chip[]}
 */
export function chips(filters) {
  /** @type {[keyof Filters, (value: string) => string][]} */
  const named = [
    ["text", texts.filters.text],
    ["service", texts.filters.service],
    ["attribute", (value) => value],
    ["calls", texts.filters.call],
    ["min_duration", (value) => `≥ ${value} ms`],
    ["max_duration", (value) => `≤ ${value} ms`],
    ["errors", () => texts.filters.onlyErrors],
    ["unrouted", () => texts.filters.unrouted],
    ["shape", (value) => texts.filters.shape(shapeLabel(value))],
  ];
  return named.flatMap(([name, label]) =>
    [filters[name]]
      .flat()
      .filter((value) => value !== "")
      .map((value) => ({ name, value, label: label(value) })),
  );
}

/**
 * The filters without one of their chips.
 * @param {Filters} filters
 * @param {Pick<Chip, 'name' | 'value'>} chip
 * @returns {Filters}
 */
export function withoutChip(filters, { name, value }) {
  const own = filters[name];
  const rest = Array.isArray(own) ? own.filter((one) => one !== value) : "";
  return { ...filters, [name]: rest };
}

/**
 * The parameters of a request, as a query; empty ones are left out.
 * @param {import('../types.d.ts').Parameters} parameters
 */
export function toQuery(parameters) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    for (const one of [value].flat()) {
      if (one !== undefined && one !== null && one !== "")
        query.append(name, String(one));
    }
  }
  return query;
}

/**
 * Milliseconds since 1970 as a field for local time shows them.
 * @param {string} ms
 */
export function toLocalTime(ms) {
  if (ms === "" || !Number.isFinite(Number(ms))) return "";
  const at = new Date(Number(ms));
  const local = new Date(at.getTime() - at.getTimezoneOffset() * 60000);
  return local.toISOString().slice(0, 19);
}

/** @param {string} text of a field for local time */
export function fromLocalTime(text) {
  const at = new Date(text).getTime();
  return Number.isNaN(at) ? "" : String(at);
}
