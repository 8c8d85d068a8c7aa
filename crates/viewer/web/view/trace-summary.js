// What a trace says of itself: why it was slow, where it failed, and its
// operations.

import { getSpan } from "../api.js";
import {
  exceptionText,
  failureSentence,
  slowSentence,
} from "../model/sentences.js";
import { texts } from "../texts.js";
import { el, untrusted } from "./dom.js";
import { legend } from "./legend.js";
import { mapLegend } from "./map-legend.js";
import { operationTable } from "./operations.js";

/** @typedef {import('../types.d.ts').Trace} Trace */

/**
 * The summary, which is empty until a trace is shown.
 * @param {(id: string) => void} onGo
 */
export function traceSummary(onGo) {
  const slow = el("p", { class: "slow", hidden: true });
  const failed = el("p", { class: "why-failed", hidden: true });
  const table = operationTable(onGo);
  // The span whose exception is shown, so that a live trace asks once.
  let asked = "";

  /** @param {Trace} trace */
  function show(trace) {
    const sentence = slowSentence(trace);
    slow.hidden = sentence === null;
    slow.replaceChildren(
      el("b", {}, `${texts.summary.slow}: `),
      ...parts(trace, sentence ?? []),
    );
    showFailure(trace);
    table.show(trace);
  }

  /** @param {Trace} trace */
  function showFailure(trace) {
    const failure = failureSentence(trace);
    failed.hidden = failure === null;
    if (failure === null) return;
    const span = trace.spans[failure.index];
    const key = `${span.id} ${span.message} ${failure.others} ${failure.lead}`;
    if (key === asked) return;
    asked = key;
    const reason = el("span", {}, reasonText(span.message));
    failed.replaceChildren(
      el("b", {}, `${failure.lead}: `),
      ...parts(trace, failure.parts),
      reason,
      failure.others,
    );
    getSpan(trace.trace_id, span.id).then(
      (details) => {
        if (key === asked)
          reason.replaceChildren(reasonText(exceptionText(details)));
      },
      () => {
        asked = "";
      },
    );
  }

  /** @param {Trace} trace @param {import('../model/sentences.js').Part[]} all */
  function parts({ spans }, all) {
    return all.map((part) => {
      if (typeof part === "string") return part;
      const onclick = () => onGo(spans[part.index].id);
      const properties = { type: "button", class: "go", onclick };
      return el("button", properties, untrusted(part.text, texts.noName));
    });
  }

  return {
    element: el(
      "div",
      { class: "summary" },
      slow,
      failed,
      el("div", { class: "folds" }, table.element, legend(), mapLegend()),
    ),
    show,
  };
}

/** @param {string} text */
function reasonText(text) {
  return text === "" ? "." : el("span", {}, ": ", untrusted(text), ".");
}
