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
import { showColoursOf } from "../model/colour.js";
import { texts } from "../texts.js";
import { spanDetails, spanNotice } from "./details.js";
import { announce, el, toMessage } from "./dom.js";
import { traceBar } from "./trace-bar.js";
import { traceSummary } from "./trace-summary.js";
import { traceTitle } from "./trace-title.js";
import { waterfall } from "./waterfall.js";

/** @typedef {import('../types.d.ts').Trace} Trace */

const POLL = 1000;
/** After failures it polls less often, but never gives up. */
const MAX_POLL = 15000;
/** The store keeps a trace for a minute after it was last viewed. */
const VIEWED_INTERVAL = 20000;
/** As long as a trace may take to arrive after its address is known. */
const ARRIVAL_TIMEOUT = 60000;

/** @type {import('../types.d.ts').OpenView} */
export function traceView(main, [id, span]) {
  /** @type {Trace | null} */
  let trace = null;
  let cursor = 0;
  let isDisposed = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  /** The span whose details are shown or on their way. @type {string | null} */
  let detailsFor = null;
  let failures = 0;
  const opened = Date.now();
  let viewed = opened;

  const chart = waterfall({
    onPick: showDetails,
    onMove: followSelection,
    onEnter: showDetails,
    onFilter: (isOn) => bar.showFilter(isOn),
  });
  const panel = el("div", { class: "panel", hidden: true });
  const title = traceTitle();
  const summary = traceSummary(goTo);
  const state = el("p", { class: "empty" }, texts.trace.waiting);
  const bar = traceBar(id, chart);
  main.replaceChildren(
    el(
      "section",
      { class: "trace" },
      title.element,
      summary.element,
      bar.element,
      state,
      el("div", { class: "split" }, chart.element, panel),
    ),
  );
  load().then(() => {
    selectFromAddress(span);
    chart.focus();
  });

  async function load() {
    try {
      const counts = await getCounts();
      trace = await getTrace(id);
      if (isDisposed) return;
      cursor = counts.changed;
      viewed = Date.now();
      failures = 0;
      state.hidden = true;
      showColoursOf(trace.services);
      title.show(trace);
      summary.show(trace);
      chart.show(trace);
      bar.show(trace);
    } catch (error) {
      if (isDisposed) return;
      showFailure(error);
    }
    schedule();
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

  function schedule() {
    clearTimeout(timer);
    if (!isDisposed)
      timer = setTimeout(poll, Math.min(MAX_POLL, POLL * 2 ** failures));
  }

  async function poll() {
    if (document.hidden || isDisposed) return schedule();
    if (trace === null) {
      await load();
      if (trace !== null) selectFromAddress(span);
      return;
    }
    try {
      const page = await getTraces({
        trace_id: id,
        changed_after: cursor,
        limit: 1,
      });
      if (page.traces.length > 0) return load();
      cursor = page.changed;
      failures = 0;
      state.hidden = true;
      if (Date.now() - viewed > VIEWED_INTERVAL) {
        viewed = Date.now();
        await reportViewed(id);
      }
    } catch (error) {
      showFailure(error);
    }
    schedule();
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
    history.replaceState(null, "", `#/trace/${id}/${spanId}`);
  }

  function closeDetails() {
    detailsFor = null;
    panel.hidden = true;
    panel.replaceChildren();
    chart.focus();
  }

  return {
    onKey(event) {
      if (event.key !== "Escape") return chart.onKey(event);
      if (panel.hidden) location.hash = "#/";
      else closeDetails();
      return true;
    },
    navigate([otherId, spanId]) {
      if (otherId !== id) return false;
      selectFromAddress(spanId);
      return true;
    },
    dispose() {
      isDisposed = true;
      clearTimeout(timer);
      showColoursOf([]);
      chart.dispose();
    },
  };
}
