// The window: the list and the chosen trace, side by side where there is room,
// and one after the other where there is not.

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
export function windowView(main, segments) {
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
  show(segments);

  function showAgain() {
    show(trace ? [trace.id] : []);
  }

  /** @param {string[]} segments */
  function show([id, span]) {
    const isOpen = id !== undefined;
    frame.classList.toggle("side-by-side", isOpen && WIDE.matches);
    if (!isOpen || WIDE.matches) openList();
    listPane.hidden = isOpen && !WIDE.matches;
    list?.setHidden(listPane.hidden);
    tracePane.hidden = !isOpen;
    if (isOpen) openTrace(id, span);
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

  /** @param {string} id @param {string | undefined} span */
  function openTrace(id, span) {
    const segments = span === undefined ? [id] : [id, span];
    if (trace?.id === id) {
      if (span !== undefined)
        trace.view.navigate?.(segments, new URLSearchParams());
      return;
    }
    trace?.view.dispose();
    isExpected = true;
    trace = { id, view: traceView(host, segments, new URLSearchParams()) };
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

  // A walk through the list is one step of the history.
  /** @param {TraceSummary} summary */
  function open({ trace_id: id }) {
    const address = `#/trace/${id}`;
    if (trace) history.replaceState(null, "", address);
    else history.pushState(null, "", address);
    show([id]);
  }

  /** @param {-1 | 1} step */
  function move(step) {
    const summary = list?.neighbour(step);
    if (summary) open(summary);
    return true;
  }

  function showPosition() {
    if (!list || !trace) return;
    const text = list.position();
    if (position.textContent !== (text ?? ""))
      position.textContent = text ?? "";
    setEnabled(previous, list.neighbour(-1) !== null);
    setEnabled(next, list.neighbour(1) !== null);
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
      if (trace && list && event.key === "[") return move(-1);
      if (trace && list && event.key === "]") return move(1);
      const inList =
        !listPane.hidden &&
        (trace === null || listPane.contains(document.activeElement));
      if (inList && list && (trace === null || event.key !== "Escape"))
        return list.onKey(event);
      if (trace?.view.onKey?.(event)) return true;
      return !listPane.hidden && event.key === "p" && !!list?.onKey(event);
    },
    navigate(segments) {
      list?.restore(new URLSearchParams(location.search));
      show(segments);
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
