// The head of a trace: its root's name, its facts, and the colours of its services.

import { colourClass } from "../model/colour.js";
import { count, duration, timestamp, toMillis } from "../model/format.js";
import { traceCounts } from "../model/span.js";
import { isolate } from "../model/text.js";
import { el, untrusted } from "./dom.js";

/** @typedef {import('../types.d.ts').Trace} Trace */

const MAX_LEGEND = 40;

/** The head, which is empty until a trace is shown. */
export function traceTitle() {
  const title = el("h1", {});
  const facts = el("p", { class: "facts" });
  const legend = el("p", { class: "legend" });
  const back = el("a", { href: "#/", class: "back" }, "← Traces");
  return {
    element: el("div", { class: "title" }, back, title, facts, legend),
    /** @param {Trace} trace */
    show(trace) {
      const root = trace.spans[0];
      const service = trace.services[root.service];
      title.replaceChildren(
        el("b", {}, untrusted(service)),
        " ",
        untrusted(root.name, "(no name)"),
      );
      document.title = `${isolate(root.name)} · Tracing-Tail`;
      facts.replaceChildren(...factsOf(trace));
      legend.replaceChildren(...trace.services.slice(0, MAX_LEGEND).map(chip));
    },
  };
}

/** @param {Trace} trace */
function factsOf(trace) {
  const { errors, orphans, skewed, refused, linksLeftOut } = traceCounts(trace);
  const warnings = [
    refused && `incomplete: ${count(refused, "span")} could not be stored`,
    orphans && `${count(orphans, "span")} without their parent yet`,
    linksLeftOut && `${count(linksLeftOut, "link")} not shown where they lead`,
    skewed && `clock skew on ${count(skewed, "span")}`,
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
      errors ? `✕ ${count(errors, "error")}` : "no errors",
    ),
    ...warnings.map((text) => el("em", { class: "warn" }, ` · ${text}`)),
  ];
}

/** @param {string} service */
function chip(service) {
  const dot = el("span", { class: `dot ${colourClass(service)}` });
  return el("span", { class: "chip" }, dot, untrusted(service));
}
