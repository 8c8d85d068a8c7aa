// The bar above a trace: search, what is drawn, and what can be done with it.

import { otlpAddress, pin, unpin } from "../api.js";
import { integer } from "../model/format.js";
import { texts } from "../texts.js";
import { copyButton } from "./copy-button.js";
import { announce, el } from "./dom.js";

/** @typedef {import('../types.d.ts').Trace} Trace */

/**
 * @param {string} id of the trace
 * @param {ReturnType<typeof import('./waterfall.js').waterfall>} chart
 */
export function traceBar(id, chart) {
  /** @type {Trace | null} */
  let trace = null;
  const found = el("span", { class: "found", role: "status" });
  const search = el("input", {
    type: "search",
    placeholder: texts.trace.search,
    "aria-label": texts.trace.search,
    oninput: showMatches,
    onkeydown: jumpToMatch,
  });
  const onlyCritical = el("input", {
    type: "checkbox",
    onchange: showOnlyCritical,
  });
  const pinButton = el(
    "button",
    {
      type: "button",
      "aria-pressed": "false",
      title: texts.trace.pinTitle,
      onclick: togglePin,
    },
    texts.trace.pin,
  );
  const element = el(
    "div",
    { class: "bar" },
    search,
    found,
    option(texts.trace.criticalPath, (showCritical) =>
      chart.setOptions({ showCritical }),
    ),
    option(texts.trace.links, (showLinks) => chart.setOptions({ showLinks })),
    el(
      "label",
      { title: texts.trace.onlyCriticalTitle },
      onlyCritical,
      " ",
      texts.trace.onlyCritical,
    ),
    el(
      "span",
      { class: "actions" },
      el(
        "button",
        { type: "button", onclick: chart.collapseAll },
        texts.trace.collapseAll,
      ),
      el(
        "button",
        { type: "button", onclick: chart.expandAll },
        texts.trace.expandAll,
      ),
      pinButton,
      copyButton(id, texts.trace.id, { text: texts.trace.copyId, class: "" }),
      el(
        "a",
        {
          class: "button",
          href: otlpAddress(id),
          download: `trace-${id}.json`,
        },
        "OTLP JSON",
      ),
    ),
  );

  function showOnlyCritical() {
    chart.showOnlyCritical(onlyCritical.checked);
  }

  function showMatches() {
    const matches = chart.search(search.value);
    found.textContent =
      matches === null ? "" : texts.trace.found(integer(matches));
  }

  /** @param {KeyboardEvent} event */
  function jumpToMatch(event) {
    if (event.key === "Enter") chart.selectNextMatch();
  }

  async function togglePin() {
    if (trace === null) return;
    try {
      await (trace.pinned ? unpin(id) : pin(id));
      trace.pinned = !trace.pinned;
      showPin(trace);
      announce(trace.pinned ? texts.trace.pinned : texts.trace.unpinned);
    } catch (error) {
      announce(error);
    }
  }

  /** @param {Trace} trace */
  function showPin({ pinned }) {
    pinButton.setAttribute("aria-pressed", String(pinned));
    pinButton.textContent = pinned ? texts.trace.unpin : texts.trace.pin;
  }

  return {
    element,
    /** Follows the trace, which the chart shows already. @param {Trace} shown */
    show(shown) {
      trace = shown;
      showPin(trace);
      showMatches();
    },
    /** @param {boolean} isOn whether only the critical path is shown */
    showFilter(isOn) {
      onlyCritical.checked = isOn;
    },
  };
}

/** @param {string} text @param {(isOn: boolean) => void} onChange */
function option(text, onChange) {
  const box = el("input", { type: "checkbox", checked: true });
  box.addEventListener("change", () => onChange(box.checked));
  return el("label", {}, box, ` ${text}`);
}
