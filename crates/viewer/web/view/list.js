// The list: the latest traces, live, with filters. Rows do not move while
// someone points at them, reads further down, or has selected one.

import { deleteTraces, getTraces } from "../api.js";
import { filtersToAddress, isFiltered } from "../model/filters.js";
import { LiveList } from "../model/live-list.js";
import { announce, el, toMessage, untrusted } from "./dom.js";
import { filterForm } from "./filter-form.js";
import { rowSelection } from "./selection.js";
import { traceRow } from "./trace-row.js";

/** @typedef {import('../types.d.ts').TraceSummary} TraceSummary */
/** @typedef {import('../types.d.ts').TracePage} TracePage */
/** @typedef {import('../model/filters.js').Filters} Filters */

const POLL = 1000;
const AGE_UPDATE = 5000;
const PAGE = 50;
const CHANGES = 200;

/** @type {import('../types.d.ts').OpenView} */
export function listView(main, _segments, query) {
  const traces = new LiveList();
  /** @type {Map<number, ReturnType<typeof traceRow>>} */
  const rows = new Map();
  let cursor = 0;
  let isPaused = false;
  // A response to an older request than the last `load` is dropped.
  let generation = 0;
  let isDisposed = false;

  const filters = filterForm(query, {
    onApply: applyFilters,
    onReset: resetFilters,
  });
  const list = el("ul", { class: "rows", "aria-label": "Traces" });
  const selection = rowSelection(list);
  const showNew = el("button", {
    type: "button",
    class: "fresh",
    hidden: true,
    onclick: showPending,
  });
  const more = el(
    "button",
    { type: "button", hidden: true, onclick: loadOlder },
    "Older traces",
  );
  const state = el("p", { class: "empty" }, "Loading…");
  const pause = el(
    "button",
    { type: "button", "aria-pressed": "false", onclick: togglePause },
    "Pause",
  );
  const calls = query.get("calls");
  const note = el(
    "p",
    { class: "note", hidden: !calls },
    "Only traces with the call ",
    untrusted(calls ?? ""),
  );
  const unrouted = query.get("unrouted") === "true" ? "true" : "";
  const leftOut = el("p", { class: "note", hidden: true });
  main.replaceChildren(
    el(
      "section",
      { class: "list" },
      el(
        "div",
        { class: "bar" },
        filters.element,
        el(
          "div",
          { class: "actions" },
          pause,
          el(
            "button",
            { type: "button", class: "danger", onclick: deleteAll },
            "Delete all",
          ),
        ),
      ),
      note,
      showNew,
      list,
      state,
      more,
      leftOut,
    ),
  );
  document.title = "Traces · Tracing-Tail";

  load();
  let timer = setTimeout(poll, POLL);
  const ageTimer = setInterval(updateAges, AGE_UPDATE);

  /** @param {import('../types.d.ts').Parameters} parameters */
  async function getPage(parameters) {
    const page = await getTraces({ ...parameters, unrouted });
    if (unrouted) {
      leftOut.replaceChildren(
        "Requests without a route are listed too. ",
        el("a", { href: "#/" }, "Leave them out"),
      );
    } else if (page.unrouted > 0) {
      leftOut.replaceChildren(
        `Left out: ${page.unrouted} ${page.unrouted === 1 ? "request" : "requests"} without a route, such as for an unknown path. `,
        el("a", { href: "#/?unrouted=true" }, "List them"),
      );
    }
    leftOut.hidden = !unrouted && page.unrouted === 0;
    return page;
  }

  function applyFilters() {
    history.replaceState(null, "", filtersToAddress(filters.read()));
    load();
  }

  function resetFilters() {
    history.replaceState(null, "", "#/");
    note.hidden = true;
    load();
  }

  async function load() {
    const mine = ++generation;
    try {
      const wanted = filters.read();
      const page = await getPage({ ...wanted, limit: PAGE });
      if (mine !== generation) return;
      traces.clear();
      rows.clear();
      list.replaceChildren();
      cursor = page.changed;
      await appendPages(page, wanted);
    } catch (error) {
      showError(error);
    }
  }

  async function loadOlder() {
    const mine = generation;
    try {
      const wanted = filters.read();
      const page = await getPage({
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
  /** @param {TracePage} first @param {Filters} wanted */
  async function appendPages(first, wanted) {
    const mine = generation;
    const target = traces.shown.size + PAGE;
    for (
      let page = first;
      ;
      page = await getPage({ ...wanted, limit: PAGE, before: traces.before })
    ) {
      if (mine !== generation) return;
      for (const summary of page.traces)
        if (traces.append(summary)) list.append(createRow(summary));
      traces.before = page.before ?? traces.before;
      more.hidden = !page.more;
      describe();
      if (!page.more || traces.shown.size >= target) return;
    }
  }

  /** @param {TraceSummary} summary */
  function createRow(summary) {
    const row = traceRow(summary);
    rows.set(summary.id, row);
    return row.element;
  }

  async function poll() {
    if (!document.hidden) await update().catch(showError);
    if (!isDisposed) timer = setTimeout(poll, POLL);
  }

  async function update() {
    const mine = generation;
    let page;
    do {
      page = await getPage({
        ...filters.read(),
        changed_after: cursor,
        limit: CHANGES,
      });
      if (mine !== generation) break;
      cursor = page.changed;
      traces.evict(page.oldest, new Set(page.kept)).forEach(removeRow);
      for (const summary of page.traces)
        if (traces.receive(summary) === "updated") replaceRow(summary);
    } while (page.more);
    if (mine === generation) {
      if (traces.pending.size > 0 && canInsert()) showPending();
      describe();
    }
    filters.offer(
      page.traces.flatMap((summary) =>
        summary.services.map((service) => service.name),
      ),
    );
  }

  /** @param {number} id */
  function removeRow(id) {
    rows.get(id)?.element.remove();
    rows.delete(id);
    selection.drop(id);
  }

  /** @param {TraceSummary} summary */
  function replaceRow(summary) {
    const old = rows.get(summary.id);
    const hasFocus = old?.link === document.activeElement;
    old?.element.replaceWith(createRow(summary));
    const row = rows.get(summary.id);
    if (selection.has(summary.id)) row?.element.classList.add("chosen");
    if (hasFocus) row?.link.focus({ preventScroll: true });
  }

  // New rows on top move all others down.
  function canInsert() {
    const isBeingRead =
      !selection.isEmpty() ||
      list.matches(":hover") ||
      list.contains(document.activeElement);
    return !isPaused && !isBeingRead && scrollY < 40;
  }

  function showPending() {
    const { added, removed } = traces.takePending();
    for (const summary of added) list.prepend(createRow(summary));
    removed.forEach(removeRow);
    if (removed.length > 0) more.hidden = false;
    describe();
  }

  function describe() {
    const waiting = traces.pending.size;
    showNew.hidden = waiting === 0;
    showNew.textContent = `+${waiting} new`;
    state.hidden = rows.size > 0;
    state.replaceChildren();
    if (rows.size > 0) scaleBars();
    else if (isFiltered(filters.read()))
      state.append("No trace matches these filters.");
    else {
      state.append(
        "No traces yet. ",
        el("a", { href: "#/try" }, "Send a request"),
        ", or point any OpenTelemetry exporter at ",
        el("code", {}, `${location.origin}/v1/traces`),
        ".",
      );
    }
  }

  function scaleBars() {
    const longest = traces.longest();
    for (const row of rows.values()) row.scaleBar(longest);
  }

  function updateAges() {
    for (const row of rows.values()) row.updateAge(Date.now());
  }

  function togglePause() {
    isPaused = !isPaused;
    pause.setAttribute("aria-pressed", String(isPaused));
    pause.textContent = isPaused ? "Resume" : "Pause";
    announce(isPaused ? "Paused" : "Live");
    if (!isPaused && traces.pending.size > 0) showPending();
  }

  async function deleteAll() {
    if (!confirm("Delete all traces?")) return;
    try {
      await deleteTraces();
      await load();
      announce("All traces are deleted");
    } catch (error) {
      showError(error);
    }
  }

  /** @param {unknown} error */
  function showError(error) {
    announce(error);
    state.hidden = false;
    state.textContent = toMessage(error);
  }

  return {
    onKey({ key }) {
      if (key === "j" || key === "ArrowDown") selection.move(1);
      else if (key === "k" || key === "ArrowUp") selection.move(-1);
      else if (key === "p") togglePause();
      else if (key === "Escape") selection.clear();
      else return false;
      return true;
    },
    dispose() {
      isDisposed = true;
      generation++;
      clearTimeout(timer);
      clearInterval(ageTimer);
    },
  };
}
