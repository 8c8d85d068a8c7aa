// The keys of a trace's chart: they choose another span, or fold and zoom.

import { nextOf } from "../model/search.js";

/** @typedef {import('../types.d.ts').SpanRow} SpanRow */

/** How many rows a key moves the selection. @type {Record<string, number>} */
const STEPS = {
  j: 1,
  ArrowDown: 1,
  k: -1,
  ArrowUp: -1,
  PageDown: 15,
  PageUp: -15,
  Home: -Infinity,
  End: Infinity,
};

/**
 * @param {object} chart
 * @param {import('../model/span-tree.js').SpanTree} chart.tree
 * @param {() => string | null} chart.selected
 * @param {() => Iterable<number>} chart.matches in ascending order
 * @param {(id: string) => void} chart.go selects a span and brings it into sight
 * @param {(id: string) => void} chart.toggle collapses or expands
 * @param {(id: string) => void} chart.onMove a key was pressed that may have chosen another span
 * @param {(id: string) => void} chart.onEnter
 */
export function chartKeys({
  tree,
  selected,
  matches,
  go,
  toggle,
  onMove,
  onEnter,
}) {
  /** @param {KeyboardEvent} event @returns {boolean} whether it was handled */
  function onKey(event) {
    const { key, shiftKey } = event;
    const span = tree.find(selected());
    if (key === "e" || key === "E") goToNext(errors(), shiftKey);
    else if (key === "n" || key === "N") goToNext(matches(), shiftKey);
    else if (key in STEPS) step(STEPS[key]);
    else if (key === "ArrowLeft" && span) collapseOrLeave(span);
    else if (key === "ArrowRight" && span) expandOrEnter(span);
    else if (key === "Enter" && span && !isOnControl(event)) {
      onEnter(span.id);
      return true;
    } else return false;
    const now = selected();
    if (now !== null) onMove(now);
    return true;
  }

  /** @param {Iterable<number>} indices @param {boolean} isBackwards */
  function goToNext(indices, isBackwards) {
    const from = tree.indexOf(selected()) ?? -1;
    const index = nextOf(indices, from, isBackwards);
    if (index !== undefined) go(tree.spans[index].id);
  }

  /** The indices of the spans that failed. */
  function errors() {
    return [...tree.spans.keys()].filter((index) => tree.spans[index].error);
  }

  /** @param {number} by */
  function step(by) {
    const target = tree.stepFrom(selected(), by);
    if (target) go(target.id);
  }

  /** @param {SpanRow} span */
  function collapseOrLeave(span) {
    if (span.descendants > 0 && !tree.isCollapsed(span.id)) toggle(span.id);
    else if (tree.find(span.parent)) go(span.parent);
  }

  /** @param {SpanRow} span */
  function expandOrEnter(span) {
    if (tree.isCollapsed(span.id)) toggle(span.id);
    else if (span.descendants > 0) step(1);
  }

  return { onKey, goToNext };
}

/** @param {Event} event */
function isOnControl({ target }) {
  return target instanceof Element && target.closest("a, button") !== null;
}
