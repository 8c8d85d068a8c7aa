// One trace: its title, its waterfall, and the details of the selected span.
// It is brought up to date while spans arrive.

import {
  ApiError,
  getCounts,
  getSpan,
  getTrace,
  getTraces,
  reportViewed,
} from "../api.js";
import { subscribe } from "../live.js";
import { showColoursOf } from "../model/colour.js";
import { Refresher } from "../model/refresher.js";
import { parseRoute } from "../model/route.js";
import { readTraceState, traceAddress, WHOLE } from "../model/trace-address.js";
import { texts } from "../texts.js";
import { spanDetails, spanNotice } from "./details.js";
import { announce, el, toMessage } from "./dom.js";
import { traceBar } from "./trace-bar.js";
import { traceMap } from "./trace-map.js";
import { traceSummary } from "./trace-summary.js";
import { traceTitle } from "./trace-title.js";
import { waterfall } from "./waterfall.js";

/** @typedef {import('../types.d.ts').Trace} Trace */

/** Between two updates. */
const PAUSE = 500;
/** The store keeps a trace for a minute after it was last viewed. */
const VIEWED_INTERVAL = 20000;
/** As long as a trace may take to arrive after its address is known. */
const ARRIVAL_TIMEOUT = 60000;

/** @type {import('../types.d.ts').OpenView} */
export function traceView(main, [id, span], query) {
  /** @type {Trace | null} */
  let trace = null;
  let cursor = 0;
  let isDisposed = false;
  /** The span whose details are shown or on their way. @type {string | null} */
  let detailsFor = null;
  let failures = 0;
  const opened = Date.now();

  /** The chosen span. @type {string | null} */
  let chosen = span ?? null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let addressTimer;

  const chart = waterfall({
    onPick: showDetails,
    onMove: followSelection,
    onEnter: showDetails,
    onSelect: () => bar.follow(view()),
    onView() {
      bar.follow(view());
      updateAddressSoon();
    },
  });
  const panel = el("div", { class: "panel", hidden: true });
  const title = traceTitle();
  const summary = traceSummary(goTo);
  const state = el("p", { class: "empty" }, texts.trace.waiting);
  const map = traceMap(id, showSpans);
  const bar = traceBar(id, chart, {
    onQuery: updateAddressSoon,
    onShape: setShape,
  });
  const section = el(
    "section",
    { class: "trace" },
    title.element,
    summary.element,
    bar.element,
    state,
    el(
      "div",
      { class: "split", onclick: followLink },
      chart.element,
      map.element,
      panel,
    ),
  );
  main.replaceChildren(section);
  restore(query);
  const refresher = new Refresher(refresh, PAUSE);
  const unsubscribe = subscribe(({ counts }) => {
    const isKnown = trace !== null && counts?.changed === cursor;
    if (!isKnown) refresher.request();
  });
  refresher.request();
  const viewedTimer = setInterval(reportView, VIEWED_INTERVAL);

  /** @returns {Promise<boolean>} whether it has worked */
  async function refresh() {
    if (isDisposed || document.hidden) return true;
    const isFirst = trace === null;
    try {
      if (isFirst || (await hasChanged())) await load();
      failures = 0;
      state.hidden = true;
    } catch (error) {
      if (!isDisposed) showFailure(error);
      return false;
    }
    if (isFirst && !isDisposed) {
      selectFromAddress(span);
      if (map.isShown()) map.focus();
      else chart.focus();
    }
    return true;
  }

  async function load() {
    const counts = await getCounts();
    const loaded = await getTrace(id);
    if (isDisposed) return;
    trace = loaded;
    cursor = counts.changed;
    showColoursOf(trace.services);
    title.show(trace);
    summary.show(trace);
    chart.show(trace);
    map.show(trace);
    bar.show(trace);
  }

  async function hasChanged() {
    const page = await getTraces({
      trace_id: id,
      changed_after: cursor,
      limit: 1,
    });
    if (page.traces.length > 0) return true;
    cursor = page.changed;
    return false;
  }

  function reportView() {
    // The next one may succeed.
    if (trace && !document.hidden) reportViewed(id).catch(() => {});
  }

  // What is shown stays until the trace can be read again.
  /** @param {unknown} error */
  function showFailure(error) {
    const isMissing =
      error instanceof ApiError && error.status === 404 && trace === null;
    const mayArrive = isMissing && Date.now() - opened < ARRIVAL_TIMEOUT;
    state.hidden = false;
    state.textContent = mayArrive ? texts.trace.waiting : toMessage(error);
    if (mayArrive) return;
    if (failures === 0) announce(error);
    failures++;
  }

  /** @param {import('../model/trace-address.js').Shape} shape */
  function setShape(shape) {
    const isMap = shape === "map";
    section.classList.toggle("as-map", isMap);
    chart.element.hidden = isMap;
    map.setShown(isMap);
    if (shape !== "map") chart.setShape(shape);
    bar.follow(view());
    updateAddressSoon();
  }

  /** What is seen of the trace. @returns {import('../model/trace-address.js').TraceState} */
  function view() {
    const seen = { ...chart.view(), q: bar.query() };
    return map.isShown() ? { ...seen, shape: "map" } : seen;
  }

  /** What is behind a part of the map, in the timeline. @param {number[]} indices */
  function showSpans(indices) {
    const first = trace?.spans[indices[0]];
    if (!first) return;
    bar.markSpans(indices.map((index) => trace?.spans[index].id ?? ""));
    location.hash = traceAddress(id, first.id, WHOLE);
  }

  /** @param {string | undefined} spanId */
  function selectFromAddress(spanId) {
    if (spanId) goTo(spanId);
  }

  /** @param {string} spanId */
  function goTo(spanId) {
    chart.scrollToSpan(spanId);
    showDetails(spanId);
  }

  // A link to another span of this trace leaves the rest as it is seen.
  /** @param {MouseEvent} event */
  function followLink(event) {
    const { target, ctrlKey, metaKey, shiftKey } = event;
    const link = target instanceof Element && target.closest("a[href]");
    if (!link || map.element.contains(link) || ctrlKey || metaKey || shiftKey)
      return;
    const { name, segments } = parseRoute(link.getAttribute("href") ?? "");
    if (name !== "trace" || segments[0] !== id || !segments[1]) return;
    event.preventDefault();
    history.pushState(null, "", location.href);
    goTo(segments[1]);
  }

  // By keyboard, the details follow only while they are open.
  /** @param {string} spanId */
  function followSelection(spanId) {
    if (panel.hidden) setAddress(spanId);
    else showDetails(spanId);
  }

  // The panel is never that of another span than the chosen one.
  /** @param {string} spanId */
  async function showDetails(spanId) {
    const isOther = detailsFor !== spanId;
    detailsFor = spanId;
    setAddress(spanId);
    if (isOther && !panel.hidden) showNotice(spanId, "…");
    try {
      const details = await getSpan(id, spanId);
      if (isDisposed || detailsFor !== spanId) return;
      const { service = "" } = findSpan(spanId) ?? {};
      panel.replaceChildren(
        spanDetails(details, service, findSpan, closeDetails),
      );
    } catch (error) {
      if (isDisposed || detailsFor !== spanId) return;
      showNotice(spanId, toMessage(error));
      announce(error);
    }
    panel.hidden = false;
    // Below the waterfall, in a narrow window, it would not be seen.
    if (isOther) panel.scrollIntoView({ block: "nearest" });
  }

  /** @param {string} spanId @param {string} text */
  function showNotice(spanId, text) {
    const name = findSpan(spanId)?.name ?? texts.details.unnamed(spanId);
    panel.replaceChildren(spanNotice(name, text, closeDetails));
  }

  /** @param {string} spanId */
  function findSpan(spanId) {
    const row = trace?.spans.find((span) => span.id === spanId);
    if (!trace || !row) return undefined;
    return { service: trace.services[row.service], name: row.name };
  }

  /** @param {string} spanId */
  function setAddress(spanId) {
    chosen = spanId;
    updateAddress();
  }

  function updateAddress() {
    clearTimeout(addressTimer);
    history.replaceState(null, "", traceAddress(id, chosen, view()));
  }

  // Browsers allow only so many changes while the wheel turns.
  function updateAddressSoon() {
    clearTimeout(addressTimer);
    addressTimer = setTimeout(updateAddress, 300);
  }

  /** Shows what an address says. @param {URLSearchParams} query */
  function restore(query) {
    const { q, shape, critical, window } = readTraceState(query);
    setShape(shape);
    chart.showOnlyCritical(critical);
    chart.zoomTo(window);
    bar.setQuery(q);
  }

  function closeDetails() {
    detailsFor = null;
    panel.hidden = true;
    panel.replaceChildren();
    if (map.isShown()) map.focus();
    else chart.focus();
  }

  return {
    onKey(event) {
      if (event.key === "i") {
        setShape(view().shape === "icicle" ? "timeline" : "icicle");
        return true;
      }
      if (event.key !== "Escape")
        return map.isShown() ? map.onKey(event) : chart.onKey(event);
      if (panel.hidden) location.hash = "#/";
      else closeDetails();
      return true;
    },
    navigate([otherId, spanId], query) {
      if (otherId !== id) return false;
      restore(query);
      selectFromAddress(spanId);
      return true;
    },
    dispose() {
      isDisposed = true;
      unsubscribe();
      refresher.stop();
      clearInterval(viewedTimer);
      clearTimeout(addressTimer);
      showColoursOf([]);
      bar.dispose();
      chart.dispose();
      map.dispose();
    },
  };
}
