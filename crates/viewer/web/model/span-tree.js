// The spans of a trace as a tree whose branches can be collapsed: which spans
// have a row, and in which order.

import { parentsOf, siblingPlaces } from "./subtree.js";

/** @typedef {import('../types.d.ts').SpanRow} SpanRow */

export class SpanTree {
  /** In reading order: parents before children. @type {SpanRow[]} */
  spans = [];
  /** For each row the index of its span. @type {number[]} */
  rows = [];
  /** The row of each visible span, by the span's index. @type {Map<number, number>} */
  rowOf = new Map();
  /** @type {Map<string, number>} */
  #indexOf = new Map();
  /** @type {number[]} */
  #parents = [];
  /** @type {{ place: number, size: number }[]} */
  #siblings = [];
  /** @type {Set<string>} */
  #collapsed = new Set();
  /** Which spans have rows; all for null. @type {((span: SpanRow) => boolean) | null} */
  #filter = null;

  /**
   * Takes the spans of a trace. What is collapsed stays collapsed.
   * @param {SpanRow[]} spans
   */
  replace(spans) {
    this.spans = spans;
    this.#indexOf = new Map(spans.map((span, index) => [span.id, index]));
    this.#parents = parentsOf(spans);
    this.#siblings = siblingPlaces(this.#parents);
    this.#layOut();
  }

  #layOut() {
    this.rows = [];
    const kept = this.#kept();
    for (let index = 0; index < this.spans.length; index++) {
      if (kept && !kept.has(index)) continue;
      this.rows.push(index);
      if (this.isCollapsed(this.spans[index].id))
        index += this.spans[index].descendants;
    }
    this.rowOf = new Map(this.rows.map((index, row) => [index, row]));
  }

  // What the filter finds, and what is above it.
  #kept() {
    if (this.#filter === null) return null;
    const parents = this.#parents;
    const kept = new Set();
    for (const [index, span] of this.spans.entries()) {
      if (!this.#filter(span)) continue;
      for (let at = index; at >= 0 && !kept.has(at); at = parents[at])
        kept.add(at);
    }
    return kept;
  }

  /**
   * Shows the spans that a filter finds and those above them; all for null.
   * @param {((span: SpanRow) => boolean) | null} filter
   */
  setFilter(filter) {
    this.#filter = filter;
    this.#layOut();
  }

  /** Whether the filter leaves a span out. @param {string} id */
  isFilteredOut(id) {
    const index = this.indexOf(id);
    return index !== undefined && this.#kept()?.has(index) === false;
  }

  /** @param {string | null} id */
  indexOf(id) {
    return id === null ? undefined : this.#indexOf.get(id);
  }

  /** Which of how many siblings a span is, from 1. @param {number} index */
  siblingsOf(index) {
    return this.#siblings[index];
  }

  /** The indices of what is above a span. @param {string | null} id */
  pathOf(id) {
    /** @type {Set<number>} */
    const path = new Set();
    const index = this.indexOf(id);
    if (index === undefined) return path;
    for (let at = this.#parents[index]; at >= 0; at = this.#parents[at])
      path.add(at);
    return path;
  }

  /** @param {string | null} id */
  find(id) {
    const index = this.indexOf(id);
    return index === undefined ? undefined : this.spans[index];
  }

  /** @param {string} id */
  isCollapsed(id) {
    return this.#collapsed.has(id);
  }

  /** @param {string} id */
  collapse(id) {
    this.#collapsed.add(id);
    this.#layOut();
  }

  /** @param {string} id */
  expand(id) {
    this.#collapsed.delete(id);
    this.#layOut();
  }

  /** Collapses all but the roots. */
  collapseAll() {
    const parents = this.spans.filter(
      (span) => span.descendants > 0 && span.depth > 0,
    );
    this.#collapsed = new Set(parents.map((span) => span.id));
    this.#layOut();
  }

  expandAll() {
    this.#collapsed = new Set();
    this.#layOut();
  }

  /** Expands whatever hides a span. @param {string} id */
  reveal(id) {
    let index = this.indexOf(id) ?? 0;
    let depth = this.spans[index]?.depth ?? 0;
    while (index > 0 && depth > 0) {
      index--;
      const span = this.spans[index];
      if (span.depth < depth) {
        depth = span.depth;
        this.#collapsed.delete(span.id);
      }
    }
    this.#layOut();
  }

  /**
   * The row that shows a span: its own, or that of a collapsed ancestor.
   * @param {string | null} id
   * @returns {{ index: number, row: number } | undefined}
   */
  visibleRow(id) {
    let index = this.indexOf(id);
    while (index !== undefined) {
      const row = this.rowOf.get(index);
      if (row !== undefined) return { index, row };
      const parent = this.indexOf(this.spans[index].parent);
      index = parent !== undefined && parent < index ? parent : undefined;
    }
    return undefined;
  }

  /**
   * The span some rows away from another; the first one for null.
   * @param {string | null} id
   * @param {number} by
   * @returns {SpanRow | undefined}
   */
  stepFrom(id, by) {
    const current = this.visibleRow(id)?.row ?? -1;
    const row = Math.min(this.rows.length - 1, Math.max(0, current + by));
    return this.spans[this.rows[row]];
  }
}
