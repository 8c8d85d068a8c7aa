// The rows of the list: created, replaced, put in order and removed.

import { texts } from "../texts.js";
import { el } from "./dom.js";
import { rowSelection } from "./selection.js";
import { traceRow } from "./trace-row.js";

/** @typedef {import('../types.d.ts').TraceSummary} TraceSummary */

export function listRows() {
  /** @type {Map<number, ReturnType<typeof traceRow> & { traceId: string }>} */
  const rows = new Map();
  /** The trace that is shown beside the list. @type {string | null} */
  let openId = null;
  const element = el("ul", { class: "rows", "aria-label": texts.page.traces });
  const selection = rowSelection(element);

  /** @param {TraceSummary} summary */
  function create(summary) {
    const { trace_id: traceId } = summary;
    const row = { ...traceRow(summary), traceId };
    row.setOpen(traceId === openId);
    rows.set(summary.id, row);
    return row;
  }

  return {
    element,
    selection,
    size: () => rows.size,
    clear() {
      rows.clear();
      element.replaceChildren();
    },
    /** Adds a row at the end, until the rows are put in order. @param {TraceSummary} summary */
    append(summary) {
      element.append(create(summary).element);
    },
    /** @param {number} id */
    remove(id) {
      rows.get(id)?.element.remove();
      rows.delete(id);
      selection.drop(id);
    },
    /** @param {TraceSummary} summary */
    replace(summary) {
      const old = rows.get(summary.id);
      const hasFocus = old?.link === document.activeElement;
      const row = create(summary);
      old?.element.replaceWith(row.element);
      if (selection.has(summary.id)) row.element.classList.add("chosen");
      if (hasFocus) row.link.focus({ preventScroll: true });
    },
    /** Puts the rows in order; those that are in their place stay. @param {TraceSummary[]} order */
    arrange(order) {
      /** @type {ChildNode | null} */
      let next = element.firstChild;
      for (const { id } of order) {
        const row = rows.get(id)?.element;
        if (!row) continue;
        if (row === next) next = next.nextSibling;
        else element.insertBefore(row, next);
      }
    },
    /** @param {string | null} id of a trace */
    setOpen(id) {
      openId = id;
      for (const row of rows.values()) {
        const isOpen = row.traceId === id;
        row.setOpen(isOpen);
        if (isOpen) row.element.scrollIntoView({ block: "nearest" });
      }
    },
    /** @param {{ min: number, max: number }} range */
    scale(range) {
      for (const row of rows.values()) row.scaleBar(range);
    },
    updateAges() {
      for (const row of rows.values()) row.updateAge(Date.now());
    },
  };
}
