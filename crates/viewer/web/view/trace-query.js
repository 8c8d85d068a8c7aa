// The query for the spans of a trace, in the language of the list. The server
// finds them, so that both mean the same.

import { ApiError, getHits, getTraceFacets } from "../api.js";
import { integer } from "../model/format.js";
import { queryError } from "../model/query.js";
import { texts } from "../texts.js";
import { announce, el, toMessage } from "./dom.js";
import { queryBar } from "./query-bar.js";

/** While a query is typed it is not asked for, in milliseconds. */
const SETTLE = 300;

/**
 * @param {string} id of the trace
 * @param {ReturnType<typeof import('./waterfall.js').waterfall>} chart
 * @param {() => void} onChange another query is asked for
 */
export function traceQuery(id, chart, onChange) {
  /** The query that is asked for, and the one whose hits are shown. */
  let asked = "";
  let shown = "";
  /** One that the server does not understand is not asked for again. */
  let wrong = "";
  /** Whether there are spans to find. */
  let isReady = false;
  /** @type {number | null} */
  let hits = null;
  /** Spans that are marked while there is no query. @type {string[] | null} */
  let marked = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let isDisposed = false;

  const bar = queryBar({
    id: "trace-",
    label: texts.trace.query,
    unit: "span",
    ask: () => getTraceFacets(id),
    onInput() {
      clearTimeout(timer);
      timer = setTimeout(ask, SETTLE);
    },
    onApply: goOn,
  });
  bar.input.setAttribute("placeholder", texts.trace.find);
  // The cross that empties the field, which is no key.
  bar.input.addEventListener("search", () => bar.input.value === "" && ask());
  const found = el("span", { class: "found", role: "status" });

  async function ask() {
    clearTimeout(timer);
    const q = bar.input.value.trim();
    if (q !== asked) {
      marked = null;
      asked = q;
      onChange();
    }
    if (isReady) await update();
  }

  /** Asks again for the same query, since the trace may have changed. */
  async function update() {
    isReady = true;
    const q = asked;
    if (q === "") return show("", marked);
    if (q === wrong) return;
    try {
      const { spans } = await getHits(id, q);
      if (!isDisposed && q === asked) show(q, spans);
    } catch (error) {
      if (!isDisposed && q === asked) showFailure(error);
    }
  }

  /** @param {string} q @param {string[] | null} spans */
  function show(q, spans) {
    shown = q;
    hits = spans && spans.length;
    chart.mark(spans);
    bar.showError(null);
    showPosition();
  }

  // The hits of the last query stay, and say so.
  /** @param {unknown} error */
  function showFailure(error) {
    const place = error instanceof ApiError && queryError(error.message);
    if (place) {
      wrong = asked;
      bar.showError(place);
    } else announce(toMessage(error));
    showPosition();
  }

  function showPosition() {
    const isStale = hits !== null && shown !== asked;
    const position = chart.position();
    const many = hits ?? 0;
    const text =
      position > 0
        ? texts.list.position(integer(position), integer(many))
        : texts.trace.found(many);
    const last = isStale ? texts.trace.foundBy(text, shown) : text;
    const next = hits === null ? "" : last;
    if (found.textContent !== next) found.textContent = next;
    found.classList.toggle("stale", isStale);
  }

  // Enter goes through the hits of a query that is answered.
  async function goOn() {
    if (bar.input.value.trim() !== shown) await ask();
    if (bar.input.value.trim() === shown) chart.selectNextMatch();
  }

  return {
    elements: [bar.elements[0], found, bar.elements[1]],
    text: () => asked,
    /** Marks spans as hits are. @param {string[]} ids */
    markSpans(ids) {
      clearTimeout(timer);
      bar.input.value = asked = "";
      marked = ids;
      show("", marked);
    },
    update,
    showPosition,
    /** @param {string} q */
    set(q) {
      if (q === asked) return;
      bar.input.value = q;
      ask();
    },
    dispose() {
      isDisposed = true;
      clearTimeout(timer);
    },
  };
}
