// The bar above a trace: search, what is drawn, and what can be done with it.

import { otlpAddress, pin, unpin } from "../api.js";
import { texts } from "../texts.js";
import { copyButton } from "./copy-button.js";
import { announce, el } from "./dom.js";
import { menu } from "./menu.js";
import { shapeSwitch } from "./shape-switch.js";
import { traceQuery } from "./trace-query.js";

/** @typedef {import('../types.d.ts').Trace} Trace */

/**
 * @param {string} id of the trace
 * @param {ReturnType<typeof import('./waterfall.js').waterfall>} chart
 * @param {object} to
 * @param {() => void} to.onQuery the query has changed
 * @param {(shape: import('../model/trace-address.js').Shape) => void} to.onShape
 */
export function traceBar(id, chart, { onQuery, onShape }) {
  /** @type {Trace | null} */
  let trace = null;
  const query = traceQuery(id, chart, onQuery);
  const shapes = shapeSwitch(onShape);
  const onlyCritical = el("input", {
    type: "checkbox",
    onchange: showOnlyCritical,
  });
  const pinButton = el(
    "button",
    {
      type: "button",
      class: "pin",
      "aria-pressed": "false",
      title: texts.trace.pinTitle,
      onclick: togglePin,
    },
    texts.trace.pin,
  );
  const more = menu({
    label: texts.trace.more,
    content: [
      option(texts.trace.criticalPath, (showCritical) =>
        chart.setOptions({ showCritical }),
      ),
      el(
        "label",
        { class: "for-rows", title: texts.trace.onlyCriticalTitle },
        onlyCritical,
        " ",
        texts.trace.onlyCritical,
      ),
      option(texts.trace.links, (showLinks) => chart.setOptions({ showLinks })),
      foldButton(texts.trace.collapseAll, chart.collapseAll),
      foldButton(texts.trace.expandAll, chart.expandAll),
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
    ],
  });
  const element = el(
    "div",
    { class: "bar" },
    shapes.element,
    query.elements,
    chart.buttons,
    el("span", { class: "actions" }, pinButton, more.element),
  );

  function showOnlyCritical() {
    chart.showOnlyCritical(onlyCritical.checked);
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
    markSpans: query.markSpans,
    /** Follows the trace, which the chart shows already. @param {Trace} shown */
    show(shown) {
      trace = shown;
      showPin(trace);
      query.update();
    },
    /** Follows what is seen of the trace. @param {import('../model/trace-address.js').TraceState} seen */
    follow({ shape, critical }) {
      onlyCritical.checked = critical;
      shapes.show(shape);
      query.showPosition();
    },
    query: query.text,
    setQuery: query.set,
    dispose() {
      more.dispose();
      query.dispose();
    },
  };
}

/** @param {string} text @param {() => void} onclick */
function foldButton(text, onclick) {
  return el("button", { type: "button", class: "for-rows", onclick }, text);
}

/** @param {string} text @param {(isOn: boolean) => void} onChange */
function option(text, onChange) {
  const box = el("input", { type: "checkbox", checked: true });
  box.addEventListener("change", () => onChange(box.checked));
  return el("label", { class: "for-rows" }, box, ` ${text}`);
}
