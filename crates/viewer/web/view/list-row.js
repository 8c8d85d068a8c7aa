// A trace as a row of the list.

import { colourClass } from "../model/colour.js";
import {
  count,
  duration,
  startedAgo,
  timestamp,
  toMillis,
} from "../model/format.js";
import { logShare } from "../model/list-stats.js";
import { outcomeOf } from "../model/outcome.js";
import { isolate } from "../model/text.js";
import { texts } from "../texts.js";
import { el, untrusted } from "./dom.js";
import { serviceChips } from "./service-chips.js";

/** @typedef {import('../types.d.ts').TraceSummary} TraceSummary */
/** @typedef {Parameters<typeof serviceChips>[1]} Line */

/** A row, whose place, age and bar follow the time and the other rows. */
export class ListRow {
  /** @type {TraceSummary} */
  #summary;
  /** @type {HTMLElement | null} */
  #time = null;
  /** @type {HTMLElement | null} */
  #fill = null;
  link = el("a", { class: "row", tabindex: -1 });
  element = el("li", {}, this.link);

  /** @param {TraceSummary} summary @param {Line} line */
  constructor(summary, line) {
    this.#summary = summary;
    this.show(summary, line);
  }

  get summary() {
    return this.#summary;
  }

  /** Shows a trace that has changed. The focus stays. @param {TraceSummary} summary @param {Line} line */
  show(summary, line) {
    this.#summary = summary;
    const start = toMillis(summary.start_ns);
    const isKnown = start > 0;
    this.#time = el(
      "time",
      isKnown
        ? { datetime: new Date(start).toISOString(), title: timestamp(start) }
        : { title: texts.row.noStart },
    );
    this.#fill = el("span", { class: `fill ${colourClass(summary.service)}` });
    const { errors } = summary;
    this.link.setAttribute("href", `#/trace/${summary.trace_id}`);
    this.link.dataset.id = String(summary.id);
    this.link.replaceChildren(
      el("span", { class: "line" }, title(summary), outcome(summary)),
      el("span", { class: "parts" }, serviceChips(summary, line)),
      el(
        "span",
        { class: "line" },
        this.#time,
        el("span", { class: "number" }, count(summary.spans, "span")),
        el(
          "span",
          { class: errors ? "number bad" : "number none" },
          errors ? `✕ ${count(errors, "error")}` : texts.noErrors,
        ),
        el(
          "span",
          { class: "took" },
          el("span", { class: "length" }, this.#fill),
          el("span", {}, duration(summary.duration_ns)),
        ),
      ),
    );
    this.updateAge(Date.now());
  }

  /** @param {number} index from 0 @param {number} height @param {number} size -1 if it is unknown */
  place(index, height, size) {
    this.element.style.setProperty("top", `${index * height}px`);
    this.element.setAttribute("aria-posinset", String(index + 1));
    this.element.setAttribute("aria-setsize", String(size));
  }

  /** @param {number} now */
  updateAge(now) {
    const start = toMillis(this.#summary.start_ns);
    const text = startedAgo(start, now);
    if (this.#time && this.#time.textContent !== text)
      this.#time.textContent = text;
  }

  /** On a scale of logarithms. @param {{ min: number, max: number }} range */
  scaleBar(range) {
    const share = logShare(this.#summary.duration_ns, range);
    this.#fill?.style.setProperty("width", `${share}%`);
  }

  /** Whether its trace is shown beside the list. @param {boolean} isOpen */
  setOpen(isOpen) {
    if (isOpen) this.link.setAttribute("aria-current", "true");
    else this.link.removeAttribute("aria-current");
  }

  /** Whether the keyboard has selected it. @param {boolean} isChosen */
  setChosen(isChosen) {
    this.element.classList.toggle("chosen", isChosen);
  }
}

/** @param {TraceSummary} summary */
function title({ service, name, rooted, pinned, incomplete }) {
  return el(
    "span",
    { class: "what", title: `${isolate(service)} ${isolate(name)}` },
    el("span", { class: `dot ${colourClass(service)}`, "aria-hidden": "true" }),
    el(
      "span",
      { class: "cut" },
      el("strong", {}, untrusted(service)),
      " ",
      el("span", { class: "name" }, untrusted(name, texts.noName)),
    ),
    !rooted && tag(texts.row.noRoot, texts.row.noRootTitle),
    pinned && tag(texts.row.pinned, texts.row.pinnedTitle),
    incomplete &&
      tag(
        texts.row.incomplete,
        texts.row.incompleteTitle(count(incomplete.refused, "span")),
        " warn",
      ),
  );
}

/** @param {string} text @param {string} title */
function tag(text, title, kind = "") {
  return el("em", { class: `tag${kind}`, title }, text);
}

/** What the root answered, and where the error began. @param {TraceSummary} summary */
function outcome(summary) {
  const { answer, from, isError, isRootOk } = outcomeOf(summary);
  const title = [
    answer && texts.row.root(answer),
    isRootOk && texts.row.rootOk,
    from !== null && texts.row.errorBegan(isolate(from)),
  ];
  return el(
    "span",
    {
      class: isError ? "ended bad" : "ended none",
      title: title.filter(Boolean).join("; "),
    },
    isError && !isRootOk && "✕ ",
    answer && el("b", {}, answer),
    isRootOk && " ✕",
    from !== null &&
      el("span", { class: "cut" }, ` ${texts.row.in} `, untrusted(from)),
  );
}
