// The list: the latest traces, live, with filters. Rows do not move while
// someone points at them, reads further down, or has selected one.

import { deleteTraces, getTraces } from "../api.js";
import {
  filtersToQuery,
  isFiltered,
  readFilters,
  toParameters,
} from "../model/filters.js";
import { integer } from "../model/format.js";
import { Refresher } from "../model/refresher.js";
import { subscribe } from "../live.js";
import { texts } from "../texts.js";
import { announce, el } from "./dom.js";
import { emptyState } from "./empty-state.js";
import { filterForm } from "./filter-form.js";
import { listActions } from "./list-actions.js";
import { listGroups } from "./list-groups.js";
import { listHead } from "./list-head.js";
import { recallTop, rememberTop } from "./list-memory.js";
import { leftOutNote, staleNote } from "./list-notes.js";
import { listPages } from "./list-pages.js";
import { listRows } from "./list-rows.js";
import { listSummary } from "./list-summary.js";

/** @typedef {import('../types.d.ts').TraceSummary} TraceSummary */
/** @typedef {import('../types.d.ts').TracePage} TracePage */
/** @typedef {import('../types.d.ts').Parameters} Parameters */

/** Between two updates. */
const PAUSE = 200;
const AGE_UPDATE = 5000;
const CHANGES = 200;

/**
 * @param {HTMLElement} pane
 * @param {import('../types.d.ts').ListHandlers} handlers
 * @returns {import('../types.d.ts').ListView}
 */
export function listView(pane, { onSelect, onOpen, onChange }) {
  const pages = listPages({ parameters, onRows: showPage });
  const { traces } = pages;
  /** The rows in the order that is shown. @type {TraceSummary[]} */
  let order = [];
  let cursor = 0;
  let sort = "";
  let isPaused = false;
  let isGrouped = false;
  /** The filters that were asked for last. @type {string | null} */
  let loaded = null;
  let isHidden = false;
  // There was no response: what is shown belongs to other filters.
  let mustReload = false;
  // The server has refused the filters: it is not asked again until they change.
  let isRefused = false;
  /** The trace that is shown beside the list. @type {string | null} */
  let openId = null;
  /** Done when the list has been loaded. */
  let loading = Promise.resolve();

  const address = new URLSearchParams(location.search);
  const isUnrouted = address.get("unrouted") === "true";
  const filters = filterForm(address, { onApply: applyFilters });
  const heading = el("h1", { class: "off" }, texts.page.traces);
  const summary = listSummary({ onRegion: filters.add, onOpen });
  const stale = staleNote();
  const head = listHead(sortBy);
  const rows = listRows(pane, { onEnd: loadOlder });
  const list = rows.element;
  const groups = listGroups({
    onOpen: (shape) => filters.add({ shape }),
    toAddress: (shape) => `?${addressQuery({ shape })}#/`,
  });
  const showNew = el("button", {
    type: "button",
    class: "fresh",
    hidden: true,
    onclick: () => {
      showPending();
      rows.scrollToStart();
    },
  });
  const more = el(
    "button",
    { type: "button", hidden: true, onclick: loadOlder },
    texts.list.older,
  );
  const leftOut = leftOutNote(isUnrouted);
  const state = el("div", { class: "empty" }, texts.loading);
  const empty = emptyState(() => describe());
  const actions = listActions({
    onGroup: toggleGroups,
    onPause: togglePause,
    onDelete: deleteAll,
  });
  const table = el("div", { class: "table" }, head.element, showNew, list);
  const section = el(
    "section",
    { class: "list" },
    heading,
    el("div", { class: "bar" }, filters.element, actions.element),
    stale.element,
    summary.elements,
    table,
    groups.element,
    state,
    more,
    leftOut.element,
  );
  pane.replaceChildren(section);
  restore(address);
  const refresher = new Refresher(refresh, PAUSE);
  const unsubscribe = subscribe(() => refresher.request());
  const ageTimer = setInterval(rows.updateAges, AGE_UPDATE);
  addEventListener("pagehide", remember);

  /** Shows what an address says. @param {URLSearchParams} query */
  function restore(query) {
    const wanted = filtersToQuery(readFilters(query));
    const isLoaded = wanted === loaded;
    const order = query.get("sort") ?? "";
    const paused = query.get("paused") === "true";
    const grouped = query.get("grouped") === "true";
    if (paused !== isPaused) showPaused(paused);
    if (order !== sort) showSort(order);
    if (grouped !== isGrouped) showGrouped(grouped);
    if (isLoaded) return;
    filters.setFilters(query);
    load(loaded === null ? recallTop() : null);
  }

  function applyFilters() {
    rememberIn("pushState");
    load();
  }

  /** @param {'pushState' | 'replaceState'} method */
  function rememberIn(method) {
    const query = addressQuery({});
    const text = query.size > 0 ? `?${query}` : "";
    const address = location.pathname + text + (location.hash || "#/");
    if (text !== location.search) history[method](null, "", address);
  }

  /** @param {Record<string, string>} more */
  function addressQuery(more) {
    const query = new URLSearchParams(filters.toQuery());
    if (sort) query.set("sort", sort);
    if (isPaused) query.set("paused", "true");
    if (isGrouped) query.set("grouped", "true");
    if (isUnrouted) query.set("unrouted", "true");
    for (const [name, value] of Object.entries(more)) query.set(name, value);
    return query;
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
    if (rows.size() === 0) return;
    arrange();
    rows.scrollToStart();
    loadRest();
  }

  /** @returns {Parameters} */
  function parameters() {
    const wanted = toParameters(filters.read(), Date.now());
    return isUnrouted ? { ...wanted, unrouted: "true" } : wanted;
  }

  /** @param {import('./list-memory.js').Anchor | null} [anchor] what was in sight before */
  function load(anchor = null) {
    return (loading = loadFirst(anchor));
  }

  /** @param {import('./list-memory.js').Anchor | null} anchor */
  async function loadFirst(anchor) {
    isRefused = false;
    loaded = filters.toQuery();
    const first = pages.first();
    const mine = pages.generation();
    try {
      const page = await first;
      if (page === null) return;
      mustReload = false;
      filters.showError(null);
      stale.hide();
      cursor = page.changed;
      refreshGroups(true);
      await loadOpen();
      if (anchor) await pages.upTo(anchor.id);
      if (anchor) rows.restoreTop(anchor);
      loadRest();
    } catch (error) {
      if (mine !== pages.generation()) return;
      mustReload = true;
      showError(error);
    }
  }

  function loadOlder() {
    pages.next().catch(showError);
  }

  // Only all traces have an order that is true.
  function loadRest() {
    if (sort) pages.all().catch(showError);
  }

  // The trace that an address opens may be far down the list.
  async function loadOpen() {
    if (openId === null || openIndex() >= 0) return;
    const wanted = { ...parameters(), trace_id: openId, limit: 1 };
    const { traces } = await getTraces(wanted);
    if (traces.length === 0) return;
    await pages.upTo(traces[0].id);
    rows.setOpen(openId);
  }

  /** @param {TracePage} page */
  function showPage(page) {
    leftOut.show(page.unrouted);
    arrange();
  }

  function arrange() {
    order = traces.sorted(sort);
    rows.show(order, pages.total());
    describe();
  }

  /** @returns {Promise<boolean>} whether it has worked */
  async function refresh() {
    if (document.hidden || isHidden || isRefused) return true;
    // Another load may have begun meanwhile.
    for (let done; done !== loading;) await (done = loading);
    try {
      await (mustReload ? load() : update());
    } catch (error) {
      showError(error);
      return isRefused;
    }
    return !mustReload;
  }

  async function update() {
    const mine = pages.generation();
    let isChanged = false;
    let page;
    do {
      page = await getTraces({
        ...parameters(),
        changed_after: cursor,
        limit: CHANGES,
      });
      if (mine !== pages.generation()) return;
      cursor = page.changed;
      const gone = traces.evict(page.oldest, new Set(page.kept));
      isChanged ||= gone.length > 0 || page.traces.length > 0;
      for (const summary of page.traces)
        if (traces.receive(summary) === "updated") rows.replace(summary);
    } while (page.more);
    stale.hide();
    if (isChanged) await pages.recount();
    if (traces.pending.size > 0 && canInsert()) showPending();
    else if (isChanged) arrange();
    if (isChanged) refreshGroups(false);
  }

  // New rows on top move all others down.
  function canInsert() {
    const isBeingRead =
      rows.selected() !== null || rows.hasFocus() || list.matches(":hover");
    return !isPaused && !isBeingRead && rows.isAtTop() && openId === null;
  }

  function showPending() {
    pages.takePending();
    arrange();
  }

  function describe() {
    const waiting = traces.pending.size;
    const isEmpty = rows.size() === 0;
    showNew.hidden = waiting === 0;
    showNew.textContent = texts.list.fresh(waiting);
    const hasGroups = showsGroups();
    table.hidden = hasGroups || (isEmpty && waiting === 0);
    groups.element.hidden = !hasGroups || isEmpty;
    more.hidden = hasGroups || !pages.hasMore();
    state.hidden = !isEmpty;
    empty.placeStop(isEmpty ? null : actions.element);
    summary.show(order, pages.isAll());
    if (!isEmpty) rows.scale(traces.durations());
    else if (isFiltered(filters.read()))
      state.replaceChildren(texts.list.noMatch);
    else if (!state.contains(empty.element))
      state.replaceChildren(empty.element);
    onChange();
  }

  // The traces of one group are listed as they are.
  function showsGroups() {
    return isGrouped && filters.read().shape === "";
  }

  function toggleGroups() {
    showGrouped(!isGrouped);
    rememberIn("pushState");
  }

  /** @param {boolean} grouped */
  function showGrouped(grouped) {
    isGrouped = grouped;
    actions.showGrouped(isGrouped);
    if (loaded === null) return;
    describe();
    refreshGroups(true);
  }

  /** @param {boolean} isNew whether other groups are wanted, not just newer figures */
  function refreshGroups(isNew) {
    if (!showsGroups() || (isPaused && !isNew)) return;
    const wanted = parameters();
    (isNew ? groups.load(wanted) : groups.update(wanted)).catch(showError);
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
    actions.showPaused(isPaused);
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
    const isEmpty = rows.size() === 0;
    const failed = stale.show(error, isEmpty);
    isRefused = failed.isRefused;
    if (failed.inQuery) filters.showError(failed.inQuery);
    if (!isEmpty) return;
    summary.show([], true);
    table.hidden = true;
    state.replaceChildren();
  }

  /** The row of the open trace, from 0; -1 without one. */
  function openIndex() {
    return order.findIndex((one) => one.trace_id === openId);
  }

  function remember() {
    if (!isHidden) rememberTop(rows.topRow());
  }

  return {
    onKey({ key }) {
      if (showsGroups() && groups.moveBy(key)) return true;
      const chosen = rows.moveBy(key);
      if (chosen) onSelect(chosen);
      else if (key === "p") togglePause();
      else if (key === "Escape") rows.clearSelection();
      else return false;
      return true;
    },
    restore,
    async neighbour(step) {
      const target = Math.max(0, openIndex()) + step;
      if (target < 0 && !sort && traces.pending.size > 0) showPending();
      else if (target >= order.length) await pages.next().catch(showError);
      const index = openIndex();
      return order[index < 0 ? 0 : index + step] ?? null;
    },
    hasNeighbour(step) {
      const index = openIndex();
      if (index < 0) return order.length > 0;
      if (index + step < 0) return !sort && traces.pending.size > 0;
      return index + step < order.length || pages.hasMore();
    },
    position() {
      const index = openIndex();
      if (index < 0) return null;
      const total = pages.total();
      const known = total < 0 ? order.length : total;
      const more = total < 0 ? "+" : "";
      return texts.list.position(integer(index + 1), integer(known) + more);
    },
    setOpen(id) {
      if (id === openId) return;
      openId = id;
      const chosen = traces.shown.get(rows.selected() ?? -1);
      if (id !== null && chosen?.trace_id !== id) rows.forget();
      if (id === null) section.prepend(heading);
      else heading.remove();
      rows.setOpen(id);
    },
    setHidden(hidden) {
      if (hidden) remember();
      const isShownAgain = isHidden && !hidden;
      isHidden = hidden;
      const anchor = isShownAgain ? recallTop() : null;
      if (anchor) rows.restoreTop(anchor);
      if (!hidden) refresher.request();
    },
    dispose() {
      remember();
      pages.stop();
      unsubscribe();
      refresher.stop();
      clearInterval(ageTimer);
      removeEventListener("pagehide", remember);
      rows.dispose();
      summary.dispose();
      filters.dispose();
      empty.dispose();
    },
  };
}
