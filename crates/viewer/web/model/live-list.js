// The rows of the trace list while traces keep arriving. New traces are pending
// until they are taken, so that nothing moves under the pointer.

import { compareOutcomes } from "./outcome.js";

/** @typedef {import('../types.d.ts').TraceSummary} TraceSummary */

/** Beyond this, the oldest rows go while new ones come, unless more were loaded. */
export const MAX_ROWS = 1000;

export class LiveList {
  /** @type {Map<number, TraceSummary>} */
  shown = new Map();
  /** @type {Map<number, TraceSummary>} */
  pending = new Map();
  /** The next page has traces that arrived before this. @type {number | null} */
  before = null;

  /** Forgets all rows, but not where the next page begins. */
  clear() {
    this.shown.clear();
    this.pending.clear();
  }

  /**
   * Adds a row of a page at the end, unless it is there.
   * @param {TraceSummary} summary
   * @returns {boolean} whether it was added
   */
  append(summary) {
    if (this.shown.has(summary.id)) return false;
    this.shown.set(summary.id, summary);
    return true;
  }

  /**
   * Takes a trace that is new or has changed. One that belongs to an older page is
   * ignored until that page is shown.
   * @param {TraceSummary} summary
   * @returns {'updated' | 'pending' | 'ignored'}
   */
  receive(summary) {
    const { id } = summary;
    if (this.shown.has(id)) {
      this.shown.set(id, summary);
      return "updated";
    }
    if (this.before !== null && id <= this.before && !this.pending.has(id))
      return "ignored";
    this.pending.set(id, summary);
    return "pending";
  }

  /**
   * Shows the pending traces on top; beyond `max`, the oldest rows go.
   * @param {number} [max]
   * @returns {{ added: TraceSummary[], removed: number[] }} by arrival
   */
  takePending(max = MAX_ROWS) {
    const added = [...this.pending.values()].sort(
      (one, other) => one.id - other.id,
    );
    this.pending.clear();
    for (const summary of added) this.shown.set(summary.id, summary);
    const removed = [];
    const excess = Math.max(0, this.shown.size - max);
    const oldest = [...this.shown.keys()].sort((one, other) => one - other);
    for (const last of oldest.slice(0, excess)) {
      this.shown.delete(last);
      this.before = last + 1;
      removed.push(last);
    }
    return { added, removed };
  }

  /**
   * Drops the traces that the store has dropped: those before the oldest, unless
   * they are among the kept.
   * @param {number} oldest
   * @param {Set<number>} kept
   * @returns {number[]} the ids of the rows that go
   */
  evict(oldest, kept) {
    const isGone = (/** @type {number} */ id) => id < oldest && !kept.has(id);
    const removed = [...this.shown.keys()].filter(isGone);
    for (const id of removed) this.shown.delete(id);
    for (const id of this.pending.keys())
      if (isGone(id)) this.pending.delete(id);
    return removed;
  }

  /** The shortest and the longest duration that are shown, at least 1 ns. */
  durations() {
    let [min, max] = [Infinity, 1];
    for (const { duration_ns: duration } of this.shown.values()) {
      min = Math.min(min, Math.max(1, duration));
      max = Math.max(max, duration);
    }
    return { min: Math.min(min, max), max };
  }

  /**
   * The rows in an order: a column, with a `-` for the greatest first. Without one
   * the newest come first.
   * @param {string} sort
   * @returns {TraceSummary[]}
   */
  sorted(sort) {
    const rows = [...this.shown.values()].sort(
      (one, other) => other.id - one.id,
    );
    const compare = COLUMNS.get(sort.replace("-", ""));
    if (!compare) return rows;
    const sign = sort.startsWith("-") ? -1 : 1;
    return rows.sort((one, other) => sign * compare(one, other));
  }
}

/** @typedef {(one: TraceSummary, other: TraceSummary) => number} Compare */

/** Numbers as text, without zeros in front. @param {string} one @param {string} other */
function compareDigits(one, other) {
  if (one.length !== other.length) return one.length - other.length;
  return one < other ? -1 : Number(one > other);
}

/** How the columns compare. @type {[string, Compare][]} */
const COMPARED = [
  ["start", (one, other) => compareDigits(one.start_ns, other.start_ns)],
  [
    "name",
    (one, other) =>
      one.service.localeCompare(other.service) ||
      one.name.localeCompare(other.name),
  ],
  ["status", compareOutcomes],
  ["spans", (one, other) => one.spans - other.spans],
  ["errors", (one, other) => one.errors - other.errors],
  ["duration", (one, other) => one.duration_ns - other.duration_ns],
];
const COLUMNS = new Map(COMPARED);

/**
 * The order after a press on a column: the greatest first, names from A; then
 * turned round; then none.
 * @param {string} sort
 * @param {string} column
 */
export function nextSort(sort, column) {
  const first = column === "name" ? column : `-${column}`;
  const second = column === "name" ? `-${column}` : column;
  if (sort === first) return second;
  return sort === second ? "" : first;
}
