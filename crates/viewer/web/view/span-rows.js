// The timeline's rows: each span a name beside its bar.

import { ROW_HEIGHT, indentStep, rowsToDraw } from "../model/geometry.js";
import { spanRow } from "./span-row.js";

/** @typedef {import('../types.d.ts').Trace} Trace */
/** @typedef {import('../types.d.ts').Drawing} Drawing */

/**
 * @param {object} parts
 * @param {import('../model/span-tree.js').SpanTree} parts.tree
 * @param {HTMLElement} parts.names the head of the column of names
 * @param {(id: string) => void} parts.onToggle collapses or expands a span
 * @returns {Drawing}
 */
export function spanRows({ tree, names, onToggle }) {
  // The elements by row, which are kept while only the scroll position changes.
  /** @type {Map<number, HTMLElement>} */
  let drawn = new Map();
  let maxDepth = 0;

  return {
    rowHeight: ROW_HEIGHT,
    layOut(trace) {
      maxDepth = trace.spans.reduce(
        (most, { depth }) => Math.max(most, depth),
        0,
      );
      return tree.rows.length;
    },
    draw(trace, { viewport, state, track, rows }, isStale) {
      if (isStale) drawn = new Map();
      const step = indentStep(maxDepth, names.clientWidth);
      rows.style.setProperty("--step", `${step}px`);
      const range = rowsToDraw(viewport, tree.rows.length);
      const next = new Map();
      for (let row = range.first; row < range.end; row++)
        next.set(row, drawn.get(row) ?? create(trace, row, state, track));
      drawn = next;
      return [...next.values()];
    },
    rowOf: (id) => tree.visibleRow(id),
  };

  /**
   * @param {Trace} trace
   * @param {number} row
   * @param {import('../types.d.ts').ChartState} state
   * @param {{ width: number }} track
   */
  function create(trace, row, state, track) {
    const index = tree.rows[row];
    const span = trace.spans[index];
    return spanRow(trace, span, {
      row,
      index,
      state,
      width: track.width,
      isExpanded: !tree.isCollapsed(span.id),
      siblings: tree.siblingsOf(index),
      onToggle: () => onToggle(span.id),
    });
  }
}
