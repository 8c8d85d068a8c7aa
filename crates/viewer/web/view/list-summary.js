// What the listed traces say together: a picture, and a line of figures.

import { count, duration, errorPercentage, rate } from "../model/format.js";
import { listStats } from "../model/list-stats.js";
import { texts } from "../texts.js";
import { el } from "./dom.js";
import { scatter } from "./scatter.js";

/** @typedef {import('../types.d.ts').TraceSummary} TraceSummary */

/** @param {Parameters<typeof scatter>[0]} handlers */
export function listSummary(handlers) {
  const picture = scatter(handlers);
  const stats = el("p", { class: "stats" });
  return {
    elements: [picture.element, stats],
    /** @param {TraceSummary[]} traces @param {boolean} isAll whether there are no older ones */
    show(traces, isAll) {
      const text = statsText(traces, isAll);
      stats.hidden = text === "";
      stats.textContent = text;
      picture.show(traces, text);
    },
    dispose: picture.dispose,
  };
}

/** @param {TraceSummary[]} traces @param {boolean} isAll */
function statsText(traces, isAll) {
  const found = listStats(traces, Date.now());
  if (found === null) return "";
  const counted = count(found.count, "trace");
  const parts = [
    isAll ? counted : texts.list.newest(counted),
    found.rate !== null && rate({ rate: found.rate }),
    texts.list.withErrors(errorPercentage(found)),
    `p50 ${duration(found.p50)}`,
    `p95 ${duration(found.p95)}`,
  ];
  return parts.filter(Boolean).join(" · ");
}
