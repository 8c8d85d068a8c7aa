// The bar above a trace: search, what is drawn, and what can be done with it.

import { otlpAddress, pin, unpin } from "../api.js";
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
  const found = el("span", { class: "found for-rows", role: "status" });
  const search = el("input", {
    type: "search",
    class: "for-rows",
    placeholder: "Search in this trace",
    "aria-label": "Search in this trace",
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
      title: "A pinned trace is kept until it is unpinned",
      onclick: togglePin,
    },
    "Pin",
  );
  const element = el(
    "div",
    { class: "bar" },
    search,
    found,
    option("Critical path", (showCritical) =>
      chart.setOptions({ showCritical }),
    ),
    option("Links", (showLinks) => chart.setOptions({ showLinks })),
    el(
      "label",
      {
        class: "for-rows",
        title: "Leaves out the spans that the response did not wait for",
      },
      onlyCritical,
      " Critical path only",
    ),
    el(
      "span",
      { class: "actions" },
      el(
        "button",
        { type: "button", class: "for-rows", onclick: chart.collapseAll },
        "Collapse all",
      ),
      el(
        "button",
        { type: "button", class: "for-rows", onclick: chart.expandAll },
        "Expand all",
      ),
      pinButton,
      copyButton(id, "Trace id", { text: "Copy id", class: "" }),
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
    found.textContent = matches === null ? "" : `${matches} found`;
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
      announce(
        trace.pinned
          ? "The trace is kept until it is unpinned"
          : "The trace is no longer pinned",
      );
    } catch (error) {
      announce(error);
    }
  }

  /** @param {Trace} trace */
  function showPin({ pinned }) {
    pinButton.setAttribute("aria-pressed", String(pinned));
    pinButton.textContent = pinned ? "Unpin" : "Pin";
  }

  return {
    element,
    /** Marks spans as if they had been searched for. @param {number[]} indices */
    markSpans(indices) {
      search.value = "";
      chart.markSpans(indices);
      found.textContent = `${indices.length} marked`;
    },
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
  return el("label", { class: "for-rows" }, box, ` ${text}`);
}
