// The window: the list and the chosen trace, side by side where there is room,
// and one after the other where there is not.

import { parseRoute } from "../model/route.js";
import { stateForAnother, traceAddress } from "../model/trace-address.js";
import { texts } from "../texts.js";
import { paneBorder } from "./border.js";
import { el, quietButton } from "./dom.js";
import { listView } from "./list.js";
import { traceView } from "./trace.js";

/** @typedef {import('../types.d.ts').TraceSummary} TraceSummary */
/** @typedef {import('../types.d.ts').View} View */

/** From this width on there is room for both. */
const WIDE = matchMedia("(min-width: 1200px)");
/** While rows are walked through quickly, only the last is opened. */
const SETTLE = 150;

/**
 * The segments are those of a trace, or none.
 * @type {import('../types.d.ts').OpenView}
 */
export function windowView(main, segments, query) {
  /** @type {import('../types.d.ts').ListView | null} */
  let list = null;
  /** @type {{ id: string, view: View } | null} */
  let trace = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  /** Has the focus until the trace that it opened has arrived. @type {Element | null} */
  let walking = null;
  /** Whether a trace was opened that has not taken the focus yet. */
  let isExpected = false;

  const listPane = el("div", { class: "list-pane" });
  const host = el("div", { class: "trace-host" });
  const position = el("span", { class: "position", role: "status" });
  const previous = quietButton("‹ [", texts.list.previous, () => move(-1));
  const next = quietButton("] ›", texts.list.next, () => move(1));
  const walk = el(
    "div",
    { class: "walk", role: "group", "aria-label": texts.list.walk },
    previous,
    position,
    next,
    el("a", { class: "button quiet close", href: "#/" }, texts.close),
  );
  const tracePane = el(
    "div",
    { class: "trace-pane", onfocusin: keepFocus, onpointerdown: stopWalking },
    walk,
    host,
  );
  const frame = el("div", { class: "window" });
  frame.append(
    listPane,
    paneBorder({
      name: "list-width",
      label: texts.list.width,
      min: 320,
      fallback: 460,
      side: 1,
      frame,
    }),
    tracePane,
  );
  main.replaceChildren(frame);
  WIDE.addEventListener("change", showAgain);
  show(segments, query);

  function showAgain() {
    show(trace ? [trace.id] : []);
  }

  /** @param {string[]} segments @param {URLSearchParams} [query] */
  function show([id, span], query) {
    const isOpen = id !== undefined;
    frame.classList.toggle("side-by-side", isOpen && WIDE.matches);
    if (!isOpen || WIDE.matches) openList();
    const isListHidden = isOpen && !WIDE.matches;
    // It remembers where it is before it goes.
    if (isListHidden && !listPane.hidden) list?.setHidden(true);
    listPane.hidden = isListHidden;
    if (!isListHidden) list?.setHidden(false);
    tracePane.hidden = !isOpen;
    if (isOpen) openTrace(id, span, query);
    else closeTrace();
    list?.setOpen(id ?? null);
    showPosition();
  }

  function openList() {
    list ??= listView(listPane, {
      onSelect: (summary) => WIDE.matches && openSoon(summary),
      onOpen: open,
      onChange: showPosition,
    });
  }

  /** @param {string} id @param {string | undefined} span @param {URLSearchParams | undefined} query */
  function openTrace(id, span, query) {
    const segments = span === undefined ? [id] : [id, span];
    if (trace?.id === id) {
      if (query) trace.view.navigate?.(segments, query);
      return;
    }
    trace?.view.dispose();
    isExpected = true;
    const view = traceView(host, segments, query ?? new URLSearchParams());
    trace = { id, view };
    const panel = host.querySelector(".panel");
    panel?.before(
      paneBorder({
        name: "panel-width",
        label: texts.trace.detailsWidth,
        min: 260,
        fallback: 400,
        side: -1,
        frame,
      }),
    );
  }

  function closeTrace() {
    trace?.view.dispose();
    trace = null;
    host.replaceChildren();
    document.title = texts.page.title(texts.page.traces);
  }

  /** @param {TraceSummary} summary */
  function openSoon(summary) {
    clearTimeout(timer);
    timer = setTimeout(() => {
      walking = document.activeElement;
      open(summary);
    }, SETTLE);
  }

  // A walk through the list is one step of the history, and keeps the view.
  /** @param {TraceSummary} summary */
  function open({ trace_id: id }) {
    const { query } = parseRoute(location.hash);
    const address = traceAddress(id, null, stateForAnother(query));
    if (trace) history.replaceState(null, "", address);
    else history.pushState(null, "", address);
    show([id], parseRoute(address).query);
  }

  /** @param {number} step */
  async function move(step) {
    const from = trace?.id;
    const summary = await list?.neighbour(step);
    if (summary && trace?.id === from) open(summary);
  }

  function showPosition() {
    if (!list || !trace) return;
    const text = list.position();
    if (position.textContent !== (text ?? ""))
      position.textContent = text ?? "";
    setEnabled(previous, list.hasNeighbour(-1));
    setEnabled(next, list.hasNeighbour(1));
  }

  // A trace takes the focus when it is drawn. A walk through the list keeps it,
  // and so does whoever writes there.
  /** @param {FocusEvent} event */
  function keepFocus({ relatedTarget: left }) {
    const writes =
      isExpected &&
      left instanceof HTMLElement &&
      left.matches("input, select");
    const keeper = writes ? left : walking;
    if (keeper instanceof HTMLElement && listPane.contains(keeper))
      keeper.focus({ preventScroll: true });
    stopWalking();
  }

  function stopWalking() {
    isExpected = false;
    walking = null;
  }

  return {
    onKey(event) {
      walking = null;
      const step = { "[": -1, "]": 1 }[event.key];
      if (trace && list && step !== undefined) {
        move(step);
        return true;
      }
      const inList =
        !listPane.hidden &&
        (trace === null || listPane.contains(document.activeElement));
      if (inList && list && (trace === null || event.key !== "Escape"))
        return list.onKey(event);
      if (trace?.view.onKey?.(event)) return true;
      return !listPane.hidden && event.key === "p" && !!list?.onKey(event);
    },
    navigate(segments, query) {
      list?.restore(new URLSearchParams(location.search));
      show(segments, query);
      return true;
    },
    dispose() {
      WIDE.removeEventListener("change", showAgain);
      clearTimeout(timer);
      list?.dispose();
      trace?.view.dispose();
    },
  };
}

/** @param {HTMLButtonElement} button @param {boolean} isEnabled */
function setEnabled(button, isEnabled) {
  if (button.disabled === isEnabled) button.disabled = !isEnabled;
}
