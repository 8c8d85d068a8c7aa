// The head of a trace: its root's name, its facts, and the colours of its services.

import { colourClass } from "../model/colour.js";
import { count, duration, timestamp, toMillis } from "../model/format.js";
import { traceCounts } from "../model/span.js";
import { isolate } from "../model/text.js";
import { texts } from "../texts.js";
import { el, untrusted } from "./dom.js";

/** @typedef {import('../types.d.ts').Trace} Trace */

const MAX_LEGEND = 40;

/** The head, which is empty until a trace is shown. */
export function traceTitle() {
  const title = el("h1", {});
  const facts = el("p", { class: "facts" });
  const legend = el("p", { class: "legend" });
  const back = el("a", { href: "#/", class: "back" }, texts.trace.back);
  return {
    element: el("div", { class: "title" }, back, title, facts, legend),
    /** @param {Trace} trace */
    show(trace) {
      const root = trace.spans[0];
      const service = trace.services[root.service];
      title.replaceChildren(
        el("b", {}, untrusted(service)),
        " ",
        untrusted(root.name, texts.noName),
      );
      document.title = texts.page.title(isolate(root.name));
      facts.replaceChildren(...factsOf(trace));
      legend.replaceChildren(...trace.services.slice(0, MAX_LEGEND).map(chip));
    },
  };
}

/** @param {Trace} trace */
function factsOf(trace) {
  const { errors, orphans, skewed, refused, linksLeftOut } = traceCounts(trace);
  const warnings = [
    refused && texts.trace.incomplete(count(refused, "span")),
    orphans && texts.trace.orphans(count(orphans, "span")),
    linksLeftOut && texts.trace.linksLeftOut(count(linksLeftOut, "link")),
    skewed && texts.trace.skew(count(skewed, "span")),
  ].filter(Boolean);
  return [
    timestamp(toMillis(trace.start_ns)),
    " · ",
    el("b", {}, duration(trace.duration_ns)),
    " · ",
    count(trace.spans.length, "span"),
    " · ",
    el(
      "span",
      { class: errors ? "bad" : "" },
      errors ? `✕ ${count(errors, "error")}` : texts.noErrors,
    ),
    ...warnings.map((text) => el("em", { class: "warn" }, ` · ${text}`)),
  ];
}

/** @param {string} service */
function chip(service) {
  const dot = el("span", { class: `dot ${colourClass(service)}` });
  return el("span", { class: "chip" }, dot, untrusted(service));
}
