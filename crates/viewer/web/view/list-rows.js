// The rows of the list. Only those in sight, and a margin, are elements, so that
// thousands scroll as well as ten.

import { rowOfKey, rowWindow, scrollToRow } from "../model/row-window.js";
import { texts } from "../texts.js";
import { el } from "./dom.js";
import { ListRow } from "./list-row.js";
import { scroller } from "./scroller.js";

/** @typedef {import('../types.d.ts').TraceSummary} TraceSummary */

/** Nearer to the end than this many rows, older ones are asked for. */
const NEAR_END = 20;
const NOTHING = { top: 0, bottom: 0 };

/**
 * @param {HTMLElement} pane what scrolls, where the page itself does not
 * @param {{ onEnd: () => void }} handlers
 */
export function listRows(pane, { onEnd }) {
  /** @type {TraceSummary[]} */
  let order = [];
  /** How many there are with those that are not loaded; -1 if that is not known. */
  let total = 0;
  /** The rows that are elements, by trace. @type {Map<number, ListRow>} */
  const rows = new Map();
  /** The row that the keyboard has selected. @type {number | null} */
  let selected = null;
  /** The trace that is shown beside the list. @type {string | null} */
  let openId = null;
  let range = { min: 1, max: 1 };
  let line = { room: 0, font: "12px sans-serif" };
  let height = 42;
  let isScheduled = false;

  const element = el("ul", {
    class: "rows",
    role: "list",
    "aria-label": texts.page.traces,
    onfocusin: followFocus,
  });
  const view = scroller(pane, element);
  const observer = new ResizeObserver(measure);
  observer.observe(element);
  document.addEventListener("scroll", schedule, true);
  addEventListener("resize", schedule);

  function schedule() {
    if (isScheduled) return;
    isScheduled = true;
    requestAnimationFrame(() => {
      isScheduled = false;
      render();
    });
  }

  // How high a row is depends on the width, and how many services fit into it too.
  function measure() {
    if (element.clientWidth === 0) return;
    const style = getComputedStyle(element);
    const found = parseFloat(style.getPropertyValue("--row-height"));
    const anchor = topRow();
    if (found > 0) height = found;
    resize();
    if (anchor) keepAt(anchor);
    render();
    const parts = element.querySelector(".parts");
    if (!parts || parts.clientWidth === line.room) return;
    const font = `12px ${style.fontFamily}`;
    line = { room: parts.clientWidth, font };
    for (const row of rows.values()) refresh(row, row.summary);
  }

  function resize() {
    element.style.setProperty("height", `${order.length * height}px`);
    element.hidden = order.length === 0;
  }

  function render() {
    const sight = view.sight() ?? (order.length === 0 ? NOTHING : null);
    if (sight === null) return;
    const { from, to } = rowWindow(sight, order.length, height);
    const wanted = new Set(order.slice(from, to).map((one) => one.id));
    const focused = focusedId();
    for (const [id, row] of rows) {
      // The row with the focus stays, however far it is scrolled away.
      if (wanted.has(id) || (id === focused && indexOf(id) >= 0)) continue;
      row.element.remove();
      rows.delete(id);
    }
    const isFar = focused !== null && !wanted.has(focused);
    const kept = isFar ? indexOf(focused) : -1;
    const first = kept >= 0 && kept < from ? [kept] : [];
    const last = kept >= to ? [kept] : [];
    /** @type {ChildNode | null} */
    let next = element.firstChild;
    const tabbed = tabStop(from);
    for (const index of [...first, ...indices(from, to), ...last]) {
      const row = rows.get(order[index].id) ?? create(order[index]);
      if (row.element === next) next = next.nextSibling;
      else element.insertBefore(row.element, next);
      row.place(index, height, total);
      row.link.tabIndex = index === tabbed ? 0 : -1;
    }
    if (order.length > 0 && to >= order.length - NEAR_END) onEnd();
  }

  /** @param {TraceSummary} summary */
  function create(summary) {
    const row = new ListRow(summary, line);
    row.scaleBar(range);
    row.setOpen(summary.trace_id === openId);
    row.setChosen(summary.id === selected);
    rows.set(summary.id, row);
    return row;
  }

  /** @param {ListRow} row @param {TraceSummary} summary */
  function refresh(row, summary) {
    row.show(summary, line);
    row.scaleBar(range);
  }

  /** @param {number | null} id */
  function indexOf(id) {
    return order.findIndex((one) => one.id === id);
  }

  function focusedId() {
    const link = document.activeElement;
    return link instanceof HTMLElement && element.contains(link)
      ? Number(link.dataset.id)
      : null;
  }

  // The tab key leads to one row; the arrows lead on from there.
  /** @param {number} from */
  function tabStop(from) {
    const focused = indexOf(focusedId());
    if (focused >= 0) return focused;
    const chosen = current();
    return chosen >= 0 && rows.has(order[chosen].id) ? chosen : from;
  }

  /** The selected row, or else that of the open trace, from 0; -1 without one. */
  function current() {
    const chosen = indexOf(selected);
    if (chosen >= 0) return chosen;
    return order.findIndex((one) => one.trace_id === openId);
  }

  function followFocus() {
    if (selected !== null && focusedId() !== selected) forget();
  }

  /** @param {number} index */
  function showRow(index) {
    const sight = view.sight();
    if (sight === null || index < 0) return;
    // Whole pixels, away from the edge.
    const by = scrollToRow(sight, index, height);
    view.scrollBy(Math.sign(by) * Math.ceil(Math.abs(by)));
    render();
  }

  /** @param {number} index */
  function select(index) {
    forget();
    selected = order[index].id;
    showRow(index);
    const row = rows.get(selected);
    row?.setChosen(true);
    row?.link.focus({ preventScroll: true });
  }

  // The row of the trace that was closed has the focus, unless something else has it.
  /** @param {number} index */
  function returnTo(index) {
    showRow(index);
    if (document.activeElement !== document.body) return;
    rows.get(order[index].id)?.link.focus({ preventScroll: true });
  }

  function forget() {
    rows.get(selected ?? -1)?.setChosen(false);
    selected = null;
  }

  /** The first row in sight, and where its top is. */
  function topRow() {
    const sight = view.sight();
    if (sight === null || sight.top <= 0) return null;
    const index = Math.min(order.length - 1, Math.floor(sight.top / height));
    if (index < 0) return null;
    return { id: order[index].id, at: index * height - sight.top };
  }

  /** @param {{ id: number, at: number }} anchor */
  function keepAt({ id, at }) {
    const index = indexOf(id);
    const sight = view.sight();
    if (index >= 0 && sight) view.scrollBy(index * height - at - sight.top);
  }

  return {
    element,
    size: () => order.length,
    /**
     * Shows these rows. What is in sight stays where it is.
     * @param {TraceSummary[]} shown
     * @param {number} all how many there are with those that are not loaded; -1 if that is not known
     */
    show(shown, all) {
      const anchor = topRow();
      const focused = focusedId();
      const at = indexOf(focused);
      order = shown;
      total = all;
      if (selected !== null && indexOf(selected) < 0) selected = null;
      resize();
      if (anchor) keepAt(anchor);
      render();
      // The row with the focus has gone: its neighbour takes it.
      if (focused !== null && indexOf(focused) < 0 && order.length > 0) {
        const index = Math.min(order.length - 1, at);
        showRow(index);
        rows.get(order[index].id)?.link.focus({ preventScroll: true });
      }
      measure();
    },
    /** @param {TraceSummary} summary */
    replace(summary) {
      const row = rows.get(summary.id);
      if (row) refresh(row, summary);
    },
    /** @param {string | null} id of a trace */
    setOpen(id) {
      const closed = order.findIndex((one) => one.trace_id === openId);
      openId = id;
      for (const row of rows.values())
        row.setOpen(row.summary.trace_id === openId);
      // Without a trace beside them rows may be of another height.
      measure();
      if (id !== null) showRow(order.findIndex((one) => one.trace_id === id));
      else if (closed >= 0) returnTo(closed);
    },
    /** @param {{ min: number, max: number }} wanted */
    scale(wanted) {
      range = wanted;
      for (const row of rows.values()) row.scaleBar(range);
    },
    updateAges() {
      for (const row of rows.values()) row.updateAge(Date.now());
    },
    /** Selects the row that a key leads to. @param {string} key @returns {TraceSummary | null | undefined} undefined for another key */
    moveBy(key) {
      const sight = view.sight();
      const page = sight ? Math.floor((sight.bottom - sight.top) / height) : 1;
      const index = rowOfKey(key, current(), order.length, page);
      if (index === null) return undefined;
      if (index < 0) return null;
      select(index);
      return order[index];
    },
    /** The number of the selected trace. */
    selected: () => selected,
    forget,
    clearSelection() {
      forget();
      if (document.activeElement instanceof HTMLElement)
        document.activeElement.blur();
    },
    hasFocus: () => focusedId() !== null,
    topRow,
    /** Scrolls to where a row was. @param {{ id: number, at: number }} anchor */
    restoreTop(anchor) {
      keepAt(anchor);
      render();
    },
    isAtTop: () => (view.sight()?.top ?? 0) <= 0,
    scrollToStart: () => showRow(0),
    dispose() {
      observer.disconnect();
      document.removeEventListener("scroll", schedule, true);
      removeEventListener("resize", schedule);
    },
  };
}

/** @param {number} from @param {number} to not included */
function indices(from, to) {
  return Array.from({ length: to - from }, (_, index) => from + index);
}
