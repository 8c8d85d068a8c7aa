// The waterfall: the rows of a span tree beside bars on a ruler. Only the rows in
// sight are elements.

import {
  ROW_HEIGHT,
  indentStep,
  rowsToDraw,
  scrollToRow,
} from "../model/geometry.js";
import { linkIndex } from "../model/link-index.js";
import { matchingSpans, nextOf } from "../model/search.js";
import { SpanTree } from "../model/span-tree.js";
import { texts } from "../texts.js";
import { border } from "./border.js";
import { el, svg } from "./dom.js";
import { drawLinks } from "./links.js";
import { spanRow } from "./span-row.js";
import { timeline } from "./timeline.js";

/** @typedef {import('../types.d.ts').Trace} Trace */

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
 * @param {object} handlers each with a span's id
 * @param {(id: string) => void} handlers.onPick selected by pointer
 * @param {(id: string) => void} handlers.onMove selected by keyboard
 * @param {(id: string) => void} handlers.onEnter Enter was pressed on it
 * @param {(isOn: boolean) => void} handlers.onFilter whether only the critical path is shown
 */
export function waterfall({ onPick, onMove, onEnter, onFilter }) {
  const tree = new SpanTree();
  /** @type {Trace | null} */
  let trace = null;
  /** @type {Set<number> | null} */
  let matches = null;
  /** @type {string | null} */
  let selected = null;
  /** @type {string | null} */
  let hovered = null;
  let links = linkIndex({ trace_id: "", spans: [] });
  let maxDepth = 0;
  let options = { showCritical: true, showLinks: true };
  // The elements by row, which are kept while only the scroll position changes.
  /** @type {Map<number, HTMLElement>} */
  let drawn = new Map();
  let isDrawScheduled = false;

  const lines = svg("svg", { class: "lines" });
  const rows = el(
    "div",
    {
      class: "spans",
      role: "tree",
      tabindex: "0",
      "aria-label": texts.trace.spans,
    },
    lines,
  );
  const time = timeline({ rows, onChange: redraw });
  const names = el("div", { class: "gutter" }, texts.trace.names, time.buttons);
  const element = el("div", { class: "waterfall" });
  const namesBorder = border({
    name: "names",
    label: texts.trace.namesWidth,
    class: "border",
    frame: element,
    side: 1,
    unit: "%",
    min: 15,
    max: () => 80,
    fallback: matchMedia("(max-width: 760px)").matches ? 46 : 36,
    step: 2,
    onMove: redraw,
  });
  element.append(
    el("div", { class: "head" }, names, namesBorder, time.element),
    rows,
  );
  rows.addEventListener("pointerover", hover);
  rows.addEventListener("pointerleave", hover);
  element.addEventListener("scroll", scheduleDraw, { passive: true });
  const resizeObserver = new ResizeObserver(redraw);
  resizeObserver.observe(element);

  /** @param {Trace} shown */
  function show(shown) {
    trace = shown;
    tree.replace(trace.spans);
    links = linkIndex(trace);
    maxDepth = trace.spans.reduce(
      (most, { depth }) => Math.max(most, depth),
      0,
    );
    time.show(trace);
    updateRows();
  }

  function updateRows() {
    rows.style.setProperty("height", `${tree.rows.length * ROW_HEIGHT}px`);
    redraw();
  }

  function redraw() {
    drawn = new Map();
    const step = indentStep(maxDepth, names.clientWidth);
    rows.style.setProperty("--step", `${step}px`);
    scheduleDraw();
  }

  function scheduleDraw() {
    if (isDrawScheduled) return;
    isDrawScheduled = true;
    requestAnimationFrame(() => {
      isDrawScheduled = false;
      if (trace) draw(trace);
    });
  }

  /** @param {Trace} trace */
  function draw(trace) {
    const range = rowsToDraw(viewport(), tree.rows.length);
    const next = new Map();
    for (let row = range.first; row < range.end; row++)
      next.set(row, drawn.get(row) ?? createRow(trace, row));
    const wanted = new Set(next.values());
    for (const child of [...rows.children])
      if (child !== lines && !wanted.has(child)) child.remove();
    rows.append(...[...wanted].filter((child) => child.parentNode !== rows));
    drawn = next;
    const active = `s-${selected}`;
    if (selected !== null && document.getElementById(active))
      rows.setAttribute("aria-activedescendant", active);
    else rows.removeAttribute("aria-activedescendant");
    showLinks();
  }

  function viewport() {
    return { scrollTop: element.scrollTop, height: element.clientHeight };
  }

  /** @param {Trace} trace @param {number} row */
  function createRow(trace, row) {
    const index = tree.rows[row];
    const span = trace.spans[index];
    return spanRow(trace, span, {
      row,
      index,
      window: time.window(),
      isSelected: span.id === selected,
      isExpanded: !tree.isCollapsed(span.id),
      isMatch: matches?.has(index) ?? null,
      showCritical: options.showCritical,
      onSelect: () => pick(span.id),
      onToggle: () => toggle(span.id),
    });
  }

  /** @param {string} id */
  function pick(id) {
    select(id);
    onPick(id);
  }

  /** @param {string} id */
  function toggle(id) {
    if (tree.isCollapsed(id)) tree.expand(id);
    else tree.collapse(id);
    updateRows();
  }

  function showLinks() {
    const track = /** @type {HTMLElement | null} */ (
      rows.querySelector(".track")
    );
    if (!options.showLinks || !track || !trace) return lines.replaceChildren();
    const ends = new Set([selected, hovered]);
    const shown = new Set([...ends].flatMap((id) => links.get(id ?? "") ?? []));
    lines.setAttribute("width", String(rows.clientWidth));
    lines.setAttribute("height", String(tree.rows.length * ROW_HEIGHT));
    lines.replaceChildren(
      ...drawLinks(trace, tree, {
        links: [...shown],
        window: time.window(),
        track: { left: track.offsetLeft, width: track.clientWidth },
        onFollow: (id) => {
          scrollToSpan(id);
          onPick(id);
        },
      }),
    );
  }

  // A curve that is pointed at stays.
  /** @param {PointerEvent} event */
  function hover({ type, target }) {
    if (!(target instanceof Element) || target.closest(".link")) return;
    const row = type === "pointerleave" ? null : target.closest(".span");
    const id = row === null ? null : row.id.slice(2);
    if (id === hovered) return;
    hovered = id;
    showLinks();
  }

  /** Selects a span and brings it into sight. @param {string} id */
  function scrollToSpan(id) {
    select(id);
    const row = tree.visibleRow(id)?.row;
    if (row === undefined) return;
    const position = scrollToRow(row, viewport());
    if (position !== element.scrollTop) element.scrollTop = position;
  }

  /** Selects a span, and expands what hides it. @param {string} id */
  function select(id) {
    selected = id;
    if (tree.isFilteredOut(id)) showOnlyCritical(false);
    const index = tree.indexOf(id);
    if (index !== undefined && !tree.rowOf.has(index)) {
      tree.reveal(id);
      updateRows();
    }
    redraw();
  }

  /** @param {KeyboardEvent} event @returns {boolean} whether it was handled */
  function onKey(event) {
    const span = tree.find(selected);
    if (time.onKey(event, span)) return true;
    const isError = event.key === "e" || event.key === "E";
    if (isError || event.key === "n" || event.key === "N") {
      const indices = isError ? errors() : (matches ?? []);
      const target = nextSpan(indices, event.shiftKey);
      if (target !== null) scrollToSpan(target);
    } else if (event.key in STEPS) step(STEPS[event.key]);
    else if (event.key === "ArrowLeft" && span) collapseOrLeave(span);
    else if (event.key === "ArrowRight" && span) expandOrEnter(span);
    else if (event.key === "Enter" && span && !isOnControl(event)) {
      onEnter(span.id);
      return true;
    } else return false;
    if (selected !== null) onMove(selected);
    return true;
  }

  /** @param {number} by */
  function step(by) {
    const target = tree.stepFrom(selected, by);
    if (target) scrollToSpan(target.id);
  }

  /** @param {import('../types.d.ts').SpanRow} span */
  function collapseOrLeave(span) {
    if (span.descendants > 0 && !tree.isCollapsed(span.id)) toggle(span.id);
    else if (tree.find(span.parent)) scrollToSpan(span.parent);
  }

  /** @param {import('../types.d.ts').SpanRow} span */
  function expandOrEnter(span) {
    if (tree.isCollapsed(span.id)) toggle(span.id);
    else if (span.descendants > 0) step(1);
  }

  /**
   * Marks the spans that contain a text.
   * @param {string} text
   * @returns {number | null} how many there are
   */
  function search(text) {
    matches = trace && matchingSpans(trace, text);
    redraw();
    return matches?.size ?? null;
  }

  /** Leaves out what the response did not wait for. @param {boolean} isOn */
  function showOnlyCritical(isOn) {
    tree.setFilter(isOn ? (span) => span.critical.length > 0 : null);
    updateRows();
    onFilter(isOn);
  }

  function selectNextMatch() {
    const target = nextSpan(matches ?? []);
    if (target === null) return;
    scrollToSpan(target);
    onMove(target);
  }

  /**
   * The id of the next of some spans, or of the one before.
   * @param {Iterable<number>} indices
   * @param {boolean} [isBackwards]
   */
  function nextSpan(indices, isBackwards) {
    const index = nextOf(indices, tree.indexOf(selected) ?? -1, isBackwards);
    return index === undefined ? null : tree.spans[index].id;
  }

  /** The indices of the spans that failed. */
  function errors() {
    return [...tree.spans.keys()].filter((index) => tree.spans[index].error);
  }

  return {
    element,
    show,
    scrollToSpan,
    onKey,
    search,
    selectNextMatch,
    showOnlyCritical,
    collapseAll() {
      tree.collapseAll();
      updateRows();
    },
    expandAll() {
      tree.expandAll();
      updateRows();
    },
    focus() {
      rows.focus({ preventScroll: true });
    },
    /** @param {Partial<typeof options>} changed */
    setOptions(changed) {
      options = { ...options, ...changed };
      redraw();
    },
    dispose() {
      resizeObserver.disconnect();
      time.dispose();
    },
  };
}

/** @param {Event} event */
function isOnControl({ target }) {
  return target instanceof Element && target.closest("a, button") !== null;
}
