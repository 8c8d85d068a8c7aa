// The spans of a trace on a ruler: as rows with names and bars, or as an icicle.
// Both have the same selection, keys and time. Only what is in sight is elements.

import { scrollToRow } from "../model/geometry.js";
import { SpanTree } from "../model/span-tree.js";
import { texts } from "../texts.js";
import { border } from "./border.js";
import { chartKeys } from "./chart-keys.js";
import { el } from "./dom.js";
import { icicleBoxes } from "./icicle.js";
import { linkLayer } from "./link-layer.js";
import { spanRows } from "./span-rows.js";
import { timeline } from "./timeline.js";

/** @typedef {import('../types.d.ts').Trace} Trace */
/** @typedef {Exclude<import('../model/trace-address.js').Shape, "map">} Shape */

/**
 * @param {object} handlers those about a span take its id
 * @param {(id: string) => void} handlers.onPick selected by pointer
 * @param {(id: string) => void} handlers.onMove selected by keyboard
 * @param {(id: string) => void} handlers.onEnter Enter was pressed on it
 * @param {() => void} handlers.onSelect another span is selected, however
 * @param {() => void} handlers.onView another part or shape of the trace is seen
 */
export function waterfall({ onPick, onMove, onEnter, onSelect, onView }) {
  const tree = new SpanTree();
  /** @type {Trace | null} */
  let trace = null;
  /** @type {Set<number> | null} */
  let matches = null;
  /** @type {string | null} */
  let selected = null;
  let options = { showCritical: true, showLinks: true };
  let isOnlyCritical = false;
  /** @type {Shape} */
  let shape = "timeline";
  let height = 0;
  let isStale = true;
  let isDrawScheduled = false;

  const links = linkLayer({
    spanAt,
    onHover: showLinks,
    onFollow(id) {
      scrollToSpan(id);
      onPick(id);
    },
  });
  const lines = links.element;
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
  const time = timeline({
    rows,
    onChange() {
      redraw();
      onView();
    },
  });
  const names = el("div", { class: "gutter" }, texts.trace.names);
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
  const shapes = {
    timeline: spanRows({ tree, names, onToggle: toggle }),
    icicle: icicleBoxes({ tree, onZoom: time.zoomTo }),
  };
  const keys = chartKeys({
    tree,
    selected: () => selected,
    matches: () => matches ?? [],
    go: scrollToSpan,
    toggle,
    onMove,
    onEnter,
  });
  rows.addEventListener("click", pick);
  links.follow(rows);
  element.addEventListener("scroll", scheduleDraw, { passive: true });
  const resizeObserver = new ResizeObserver(redraw);
  resizeObserver.observe(element);

  /** @param {Trace} shown */
  function show(shown) {
    trace = shown;
    tree.replace(trace.spans);
    links.show(trace);
    time.show(trace);
    updateRows();
  }

  function updateRows() {
    if (trace === null) return;
    height = shapes[shape].layOut(trace) * shapes[shape].rowHeight;
    rows.style.setProperty("height", `${height}px`);
    redraw();
  }

  function redraw() {
    isStale = true;
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
    const state = {
      window: time.window(),
      selected,
      matches,
      showCritical: options.showCritical,
    };
    const view = { viewport: viewport(), state, track: time.track(), rows };
    putInOrder(shapes[shape].draw(trace, view, isStale));
    isStale = false;
    const active = `s-${selected}`;
    if (selected !== null && document.getElementById(active))
      rows.setAttribute("aria-activedescendant", active);
    else rows.removeAttribute("aria-activedescendant");
    showLinks();
  }

  // The order of the elements is that of the rows. What is there already stays.
  /** @param {HTMLElement[]} elements */
  function putInOrder(elements) {
    const wanted = new Set(elements);
    for (const child of [...rows.children])
      if (child !== lines && !wanted.has(/** @type {HTMLElement} */ (child)))
        child.remove();
    /** @type {Element | null} */
    let place = lines.nextElementSibling;
    for (const one of elements)
      if (one === place) place = place.nextElementSibling;
      else rows.insertBefore(one, place);
  }

  function viewport() {
    return { scrollTop: element.scrollTop, height: element.clientHeight };
  }

  /** @param {Event} event */
  function pick({ target }) {
    const id = spanAt(target);
    if (id === null) return;
    select(id);
    onPick(id);
  }

  /** The id of the span that an element is part of. @param {EventTarget | null} target */
  function spanAt(target) {
    if (!(target instanceof Element)) return null;
    return target.closest("[id^='s-']")?.id.slice(2) ?? null;
  }

  /** @param {string} id */
  function toggle(id) {
    if (tree.isCollapsed(id)) tree.expand(id);
    else tree.collapse(id);
    updateRows();
  }

  function showLinks() {
    const isOn = options.showLinks;
    links.draw(shapes[shape], { selected, isOn, height, time });
  }

  /** Selects a span and brings it into sight. @param {string} id */
  function scrollToSpan(id) {
    select(id);
    const { row } = shapes[shape].rowOf(id) ?? {};
    if (row === undefined) return;
    const { rowHeight } = shapes[shape];
    const position = scrollToRow(row, viewport(), rowHeight);
    if (position !== element.scrollTop) element.scrollTop = position;
    // A row says where its bar is; a box that is not in sight says nothing.
    const span = tree.find(id);
    if (span && shape === "icicle") time.reveal(span);
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
    onSelect();
  }

  /** Leaves out what the response did not wait for. @param {boolean} isOn */
  function showOnlyCritical(isOn) {
    isOnlyCritical = isOn;
    tree.setFilter(isOn ? (span) => span.critical.length > 0 : null);
    updateRows();
    onView();
  }

  /** @param {Shape} wanted */
  function setShape(wanted) {
    if (wanted === shape) return;
    shape = wanted;
    element.classList.toggle("icicle", shape === "icicle");
    updateRows();
    if (selected !== null && trace !== null) scrollToSpan(selected);
    onView();
  }

  return {
    element,
    buttons: time.buttons,
    show,
    scrollToSpan,
    setShape,
    showOnlyCritical,
    zoomTo: time.zoomTo,
    /** @param {KeyboardEvent} event @returns {boolean} whether it was handled */
    onKey: (event) =>
      time.onKey(event, tree.find(selected)) || keys.onKey(event),
    /** What is seen of the trace, as its address says it. */
    view: () => ({ shape, critical: isOnlyCritical, window: time.zoomed() }),
    /** Marks some spans; none for null. @param {Iterable<string> | null} ids */
    mark(ids) {
      const found = [...(ids ?? [])].map((id) => tree.indexOf(id));
      const known = found.filter((index) => index !== undefined);
      matches = ids && new Set(known.sort((one, other) => one - other));
      redraw();
    },
    /** Which of the marked spans is selected, from 1; 0 for none. */
    position() {
      const index = tree.indexOf(selected);
      return index === undefined ? 0 : [...(matches ?? [])].indexOf(index) + 1;
    },
    selectNextMatch() {
      keys.goToNext(matches ?? [], false);
      if (selected !== null) onMove(selected);
    },
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
