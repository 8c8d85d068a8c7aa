// What the map says and draws of how often something is called, how long it
// takes, and how often it fails.

import { texts } from "../texts.js";
import { duration, errorPercentage, integer, rate } from "./format.js";

/** @typedef {import('../types.d.ts').CallStats} CallStats */

/**
 * How a map puts it: of many traces, or of one.
 * @typedef {object} Figures
 * @property {(stats: CallStats) => string} volume
 * @property {(stats: CallStats) => string} time
 */

/** @type {Figures} */
export const OVER_TIME = {
  volume: rate,
  time: (stats) => `p95 ${duration(stats.p95_ns)}`,
};

/** @type {Figures} */
export const IN_TRACE = {
  volume: (stats) => `${integer(stats.count)}×`,
  time: ({ count, p99_ns: longest }) =>
    count > 1 ? texts.map.upTo(duration(longest)) : duration(longest),
};

/** The share of errors in words of the map; empty without any. @param {CallStats} stats */
export function failures(stats) {
  return stats.errors > 0 ? `✕ ${errorPercentage(stats)}` : "";
}

/**
 * The width of a call's line: a little more for each tenfold.
 * @param {Pick<CallStats, 'count'>} stats
 */
export function lineWidth({ count }) {
  return Math.min(9, 1.5 + 1.5 * Math.log10(Math.max(1, count)));
}

/** From which share of errors on each grade begins; 0 is none. */
const GRADES = [0, 0.01, 0.05, 0.25];

/**
 * How much fails, from 0 for nothing to 4.
 * @param {Pick<CallStats, 'errors' | 'error_rate'>} stats
 */
export function errorGrade({ errors, error_rate: share }) {
  if (errors === 0) return 0;
  return GRADES.filter((from) => share >= from).length;
}
