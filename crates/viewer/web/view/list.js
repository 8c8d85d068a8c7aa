// The list: the latest traces, live, with filters. Rows do not move while
// someone points at them, reads further down, or has selected one.

import { ApiError, deleteTraces, getTraces } from "../api.js";
import {
  filtersToQuery,
  isFiltered,
  readFilters,
  toParameters,
} from "../model/filters.js";
import { count, integer } from "../model/format.js";
import { LiveList } from "../model/live-list.js";
import { queryError } from "../model/query.js";
import { texts } from "../texts.js";
import { announce, el, toMessage } from "./dom.js";
import { emptyState } from "./empty-state.js";
import { filterForm } from "./filter-form.js";
import { listHead } from "./list-head.js";
import { listRows } from "./list-rows.js";
import { listSummary } from "./list-summary.js";

/** @typedef {import('../types.d.ts').TraceSummary} TraceSummary */
/** @typedef {import('../types.d.ts').TracePage} TracePage */
/** @typedef {import('../types.d.ts').Parameters} Parameters */

const POLL = 1000;
const AGE_UPDATE = 5000;
const PAGE = 50;
const CHANGES = 200;

/**
 * @param {HTMLElement} pane
 * @param {import('../types.d.ts').ListHandlers} handlers
 * @returns {import('../types.d.ts').ListView}
 */
export function listView(pane, { onSelect, onOpen, onChange }) {
  const traces = new LiveList();
  /** The rows in the order that is shown. @type {TraceSummary[]} */
  let order = [];
  let cursor = 0;
  let sort = "";
  let isPaused = false;
  /** The filters that were asked for last. @type {string | null} */
  let loaded = null;
  let isHidden = false;
  // There was no response: what is shown belongs to other filters.
  let mustReload = false;
  // The server has refused the filters: it is not asked again until they change.
  let isRefused = false;
  /** The trace that is shown beside the list. @type {string | null} */
  let openId = null;
  // A response to an older request than the last `load` is dropped.
  let generation = 0;
  let isDisposed = false;

  const address = new URLSearchParams(location.search);
  const isUnrouted = address.get("unrouted") === "true";
  const filters = filterForm(address, { onApply: applyFilters });
  const heading = el("h1", { class: "off" }, texts.page.traces);
  const summary = listSummary({ onRegion: filters.add, onOpen });
  const stale = el("p", { class: "note warn", role: "status", hidden: true });
  const head = listHead(sortBy);
  const rows = listRows();
  const list = rows.element;
  const { selection } = rows;
  const showNew = el("button", {
    type: "button",
    class: "fresh",
    hidden: true,
    onclick: showPending,
  });
  const more = el(
    "button",
    { type: "button", hidden: true, onclick: loadOlder },
    texts.list.older,
  );
  const leftOut = el("p", { class: "note", hidden: true });
  const state = el("div", { class: "empty" }, texts.loading);
  const empty = emptyState(() => describe());
  const pause = el(
    "button",
    { type: "button", "aria-pressed": "false", onclick: togglePause },
    texts.list.pause,
  );
  const actions = el(
    "div",
    { class: "actions" },
    pause,
    el(
      "button",
      { type: "button", class: "danger", onclick: deleteAll },
      texts.list.deleteAll,
    ),
  );
  const table = el("div", { class: "table" }, head.element, showNew, list);
  const section = el(
    "section",
    { class: "list" },
    heading,
    el("div", { class: "bar" }, filters.element, actions),
    stale,
    summary.elements,
    table,
    state,
    more,
    leftOut,
  );
  pane.replaceChildren(section);
  restore(address);
  let timer = setTimeout(poll, POLL);
  const ageTimer = setInterval(rows.updateAges, AGE_UPDATE);

  /** Shows what an address says. @param {URLSearchParams} query */
  function restore(query) {
    const wanted = filtersToQuery(readFilters(query));
    const isLoaded = wanted === loaded;
    const order = query.get("sort") ?? "";
    const paused = query.get("paused") === "true";
    if (paused !== isPaused) showPaused(paused);
    if (order !== sort) showSort(order);
    if (isLoaded) return;
    filters.setFilters(query);
    load();
  }

  function applyFilters() {
    rememberIn("pushState");
    load();
  }

  /** @param {'pushState' | 'replaceState'} method */
  function rememberIn(method) {
    const query = new URLSearchParams(filters.toQuery());
    if (sort) query.set("sort", sort);
    if (isPaused) query.set("paused", "true");
    if (isUnrouted) query.set("unrouted", "true");
    const text = query.size > 0 ? `?${query}` : "";
    const address = location.pathname + text + (location.hash || "#/");
    if (text !== location.search) history[method](null, "", address);
  }

  /** @param {string} wanted */
  function sortBy(wanted) {
    showSort(wanted);
    rememberIn("replaceState");
  }

  /** @param {string} wanted */
  function showSort(wanted) {
    sort = wanted;
    head.show(sort);
    order = traces.sorted(sort);
    rows.arrange(order);
    if (rows.size() > 0) describe();
  }

  /** @returns {Parameters} */
  function parameters() {
    const wanted = toParameters(filters.read(), Date.now());
    return isUnrouted ? { ...wanted, unrouted: "true" } : wanted;
  }

  async function load() {
    const mine = ++generation;
    isRefused = false;
    loaded = filters.toQuery();
    try {
      const wanted = parameters();
      const page = await getTraces({ ...wanted, limit: PAGE });
      if (mine !== generation) return;
      mustReload = false;
      filters.showError(null);
      stale.hidden = true;
      traces.clear();
      rows.clear();
      cursor = page.changed;
      await appendPages(page, wanted);
    } catch (error) {
      if (mine !== generation) return;
      mustReload = true;
      showError(error);
    }
  }

  async function loadOlder() {
    const mine = generation;
    try {
      const wanted = parameters();
      const page = await getTraces({
        ...wanted,
        limit: PAGE,
        before: traces.before,
      });
      if (mine === generation) await appendPages(page, wanted);
    } catch (error) {
      showError(error);
    }
  }

  // A page may end before it is full, when many spans had to be searched for it.
  /** @param {TracePage} first @param {Parameters} wanted */
  async function appendPages(first, wanted) {
    const mine = generation;
    const target = traces.shown.size + PAGE;
    for (
      let page = first;
      ;
      page = await getTraces({ ...wanted, limit: PAGE, before: traces.before })
    ) {
      if (mine !== generation) return;
      for (const summary of page.traces)
        if (traces.append(summary)) rows.append(summary);
      traces.before = page.before ?? traces.before;
      more.hidden = !page.more;
      showLeftOut(page);
      order = traces.sorted(sort);
      rows.arrange(order);
      describe();
      if (!page.more || traces.shown.size >= target) return;
    }
  }

  /** @param {TracePage} page */
  function showLeftOut({ unrouted }) {
    leftOut.hidden = unrouted === 0 && !isUnrouted;
    if (isUnrouted)
      leftOut.replaceChildren(
        texts.list.unroutedShown,
        " ",
        el("a", { href: "./#/" }, texts.list.leaveOut),
      );
    else
      leftOut.replaceChildren(
        texts.list.leftOut(count(unrouted, "request")),
        " ",
        el("a", { href: "?unrouted=true#/" }, texts.list.listThem),
      );
  }

  async function poll() {
    if (!document.hidden && !isHidden && !isRefused)
      await (mustReload ? load() : update().catch(showError));
    if (!isDisposed) timer = setTimeout(poll, POLL);
  }

  async function update() {
    const mine = generation;
    let isChanged = false;
    let page;
    do {
      page = await getTraces({
        ...parameters(),
        changed_after: cursor,
        limit: CHANGES,
      });
      if (mine !== generation) return;
      cursor = page.changed;
      const gone = traces.evict(page.oldest, new Set(page.kept));
      gone.forEach(rows.remove);
      isChanged ||= gone.length > 0 || page.traces.length > 0;
      for (const summary of page.traces)
        if (traces.receive(summary) === "updated") rows.replace(summary);
    } while (page.more);
    stale.hidden = true;
    if (traces.pending.size > 0 && canInsert()) showPending();
    else if (isChanged) {
      order = traces.sorted(sort);
      rows.arrange(order);
      describe();
    }
  }

  // New rows on top move all others down.
  function canInsert() {
    const isBeingRead =
      !selection.isEmpty() ||
      list.matches(":hover") ||
      list.contains(document.activeElement);
    const isAtTop = scrollY + pane.scrollTop < 40;
    return !isPaused && !isBeingRead && isAtTop && openId === null;
  }

  function showPending() {
    const { added, removed } = traces.takePending();
    added.forEach(rows.append);
    removed.forEach(rows.remove);
    if (removed.length > 0) more.hidden = false;
    order = traces.sorted(sort);
    rows.arrange(order);
    describe();
  }

  function describe() {
    const waiting = traces.pending.size;
    showNew.hidden = waiting === 0;
    showNew.textContent = texts.list.fresh(waiting);
    table.hidden = rows.size() === 0 && waiting === 0;
    state.hidden = rows.size() > 0;
    empty.placeStop(rows.size() > 0 ? actions : null);
    summary.show(order, more.hidden === true);
    if (rows.size() > 0) rows.scale(traces.durations());
    else if (isFiltered(filters.read()))
      state.replaceChildren(texts.list.noMatch);
    else if (!state.contains(empty.element))
      state.replaceChildren(empty.element);
    onChange();
  }

  function togglePause() {
    showPaused(!isPaused);
    rememberIn("replaceState");
    announce(isPaused ? texts.list.paused : texts.list.live);
    if (!isPaused && traces.pending.size > 0) showPending();
  }

  /** @param {boolean} paused */
  function showPaused(paused) {
    isPaused = paused;
    pause.setAttribute("aria-pressed", String(isPaused));
    pause.textContent = isPaused ? texts.list.resume : texts.list.pause;
  }

  async function deleteAll() {
    if (!confirm(texts.list.confirmDelete)) return;
    try {
      await deleteTraces();
      await load();
      announce(texts.list.deleted);
    } catch (error) {
      showError(error);
    }
  }

  // What is shown stays: the last good result, marked as such.
  /** @param {unknown} error */
  function showError(error) {
    const message = toMessage(error);
    isRefused = error instanceof ApiError && error.status === 400;
    const inQuery = isRefused ? queryError(message) : null;
    if (inQuery) filters.showError(inQuery);
    else announce(error);
    const what = rows.size() > 0 ? ` ${texts.list.lastGood}` : "";
    stale.hidden = false;
    stale.textContent = inQuery
      ? texts.list.badQuery + what
      : `${message}.${what}`;
    if (rows.size() > 0) return;
    summary.show([], true);
    table.hidden = true;
    state.replaceChildren();
  }

  /** The row of the open trace, from 0; -1 without one. */
  function openIndex() {
    return order.findIndex((one) => one.trace_id === openId);
  }

  return {
    onKey({ key }) {
      const step = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[key];
      if (step !== undefined) {
        selection.move(step);
        const chosen = traces.shown.get(selection.current() ?? -1);
        if (chosen) onSelect(chosen);
      } else if (key === "p") togglePause();
      else if (key === "Escape") selection.clear();
      else return false;
      return true;
    },
    restore,
    neighbour(step) {
      const index = openIndex();
      return order[index < 0 ? 0 : index + step] ?? null;
    },
    position() {
      const index = openIndex();
      if (index < 0) return null;
      const total = integer(order.length) + (more.hidden ? "" : "+");
      return texts.list.position(integer(index + 1), total);
    },
    setOpen(id) {
      if (id === openId) return;
      openId = id;
      const selected = traces.shown.get(selection.current() ?? -1);
      if (id !== null && selected?.trace_id !== id) selection.forget();
      if (id === null) section.prepend(heading);
      else heading.remove();
      rows.setOpen(id);
    },
    setHidden(hidden) {
      isHidden = hidden;
    },
    dispose() {
      isDisposed = true;
      generation++;
      clearTimeout(timer);
      clearInterval(ageTimer);
      summary.dispose();
      filters.dispose();
      empty.dispose();
    },
  };
}
