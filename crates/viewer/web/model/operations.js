// The spans of a trace by service and operation.

import { criticalTime } from "./explain.js";
import { endOf, parentsOf } from "./subtree.js";

/** @typedef {import('../types.d.ts').Trace} Trace */
/** @typedef {import('../types.d.ts').SpanRow} SpanRow */

/**
 * @typedef {object} Operation
 * @property {string} service
 * @property {string} name
 * @property {number} count
 * @property {number} errors
 * @property {number} selfNs time in which no child ran
 * @property {number} totalNs
 * @property {number} criticalNs
 * @property {number} slowest the index of the span with the most time of its own
 */
/** What operations are sorted by. @typedef {Exclude<keyof Operation, 'slowest'>} Column */

/**
 * @param {Pick<Trace, 'spans' | 'services'>} trace
 * @returns {Operation[]}
 */
export function operations({ spans, services }) {
  const self = selfTimes(spans);
  /** @type {Map<string, Operation>} */
  const found = new Map();
  spans.forEach((span, index) => {
    const key = `${span.service} ${span.name}`;
    const one = found.get(key) ?? {
      service: services[span.service],
      name: span.name,
      count: 0,
      errors: 0,
      selfNs: 0,
      totalNs: 0,
      criticalNs: 0,
      slowest: index,
    };
    found.set(key, one);
    one.count++;
    one.errors += span.error ? 1 : 0;
    one.selfNs += self[index];
    one.totalNs += span.duration_ns;
    one.criticalNs += criticalTime(span);
    if (self[index] > self[one.slowest]) one.slowest = index;
  });
  return [...found.values()];
}

/**
 * For each span the time in which none of its children ran.
 * @param {SpanRow[]} spans
 */
export function selfTimes(spans) {
  const parents = parentsOf(spans);
  const byStart = spans
    .map((_, index) => index)
    .sort((one, other) => spans[one].offset_ns - spans[other].offset_ns);
  const self = spans.map((span) => span.duration_ns);
  // Up to where a child has been subtracted; children may overlap.
  const until = spans.map((span) => span.offset_ns);
  for (const index of byStart) {
    const parent = parents[index];
    if (parent < 0) continue;
    const from = Math.max(spans[index].offset_ns, until[parent]);
    const to = Math.min(endOf(spans[index]), endOf(spans[parent]));
    if (to <= from) continue;
    self[parent] -= to - from;
    until[parent] = to;
  }
  return self;
}

/**
 * Sorts operations: names from A on, numbers from the largest on, or the other
 * way around.
 * @param {Operation[]} all
 * @param {Column} column
 * @param {boolean} isReversed
 */
export function sortOperations(all, column, isReversed) {
  const sign = isReversed ? -1 : 1;
  return [...all].sort((one, other) => {
    const [left, right] = [one[column], other[column]];
    const order =
      typeof left === "number"
        ? Number(right) - left
        : left.localeCompare(String(right));
    return sign * order || other.selfNs - one.selfNs;
  });
}
