// The traces that match, grouped by their shape. A group opens to its traces.

import { getGroups } from "../api.js";
import { colourClass } from "../model/colour.js";
import {
  count,
  duration,
  integer,
  startedAgo,
  toMillis,
} from "../model/format.js";
import { answerText } from "../model/outcome.js";
import { spansOf } from "../model/shape.js";
import { isolate } from "../model/text.js";
import { texts } from "../texts.js";
import { el, untrusted } from "./dom.js";

/** @typedef {import('../types.d.ts').TraceGroup} TraceGroup */
/** @typedef {import('../types.d.ts').TraceGroups} TraceGroups */
/** @typedef {import('../types.d.ts').Parameters} Parameters */

/** They are all traces of a filter, so they are not asked for with each change. */
const INTERVAL = 3000;

/**
 * @param {{ onOpen: (shape: string) => void, toAddress: (shape: string) => string }} handlers
 */
export function listGroups({ onOpen, toAddress }) {
  let generation = 0;
  let asked = 0;
  const note = el("p", { class: "note" });
  const list = el("ul", {
    class: "groups",
    role: "list",
    "aria-label": texts.groups.title,
  });
  const element = el("div", { hidden: true }, note, list);

  /** @param {TraceGroups} found */
  function show({ groups, more_groups: more, traces, more: isCut }) {
    const all = count(traces, "trace");
    const found = texts.groups.found(
      isCut ? texts.list.newest(all) : all,
      count(groups.length + more, "group"),
    );
    const largest = texts.groups.largest(integer(groups.length));
    note.textContent = more > 0 ? `${found}; ${largest}` : found;
    const focused = document.activeElement?.getAttribute("data-shape");
    const links = groups.map(group);
    list.replaceChildren(...links.map((link) => el("li", {}, link)));
    links.find((link) => link.dataset.shape === focused)?.focus();
  }

  /** @param {TraceGroup} group */
  function group(group) {
    const { shape, service, name, error_service: from, latest } = group;
    const ago = startedAgo(toMillis(latest.start_ns), Date.now());
    return el(
      "a",
      {
        class: "row group",
        href: toAddress(shape),
        "data-shape": shape,
        onclick: (/** @type {MouseEvent} */ event) => {
          if (event.ctrlKey || event.metaKey || event.shiftKey) return;
          event.preventDefault();
          onOpen(shape);
        },
      },
      el(
        "span",
        { class: "what", title: `${isolate(service)} ${isolate(name)}` },
        el("span", {
          class: `dot ${colourClass(service)}`,
          "aria-hidden": "true",
        }),
        el(
          "span",
          { class: "cut" },
          el("strong", {}, untrusted(service)),
          " ",
          untrusted(name, texts.noName),
        ),
      ),
      el(
        "span",
        { class: from === null ? "ended none" : "ended bad" },
        from !== null && "✕ ",
        el("span", { class: "cut" }, ending(group)),
      ),
      el("b", { class: "number" }, `× ${integer(group.count)}`),
      el(
        "span",
        { class: "size" },
        `${count(group.services, "service")}, ${spansOf(group.spans)}`,
      ),
      el(
        "span",
        { class: "number" },
        `p50 ${duration(group.p50_ns)} · p95 ${duration(group.p95_ns)}`,
      ),
      el("span", { class: "number" }, texts.groups.latest(ago)),
    );
  }

  /** "502 from fraud" @param {TraceGroup} group */
  function ending({ outcome, error_service: from }) {
    const answer = el("b", {}, answerText(outcome) || texts.shape.noRoot);
    if (from === null) return answer;
    const service = untrusted(from || texts.shape.unknownService);
    return [answer, ` ${texts.shape.from} `, service];
  }

  /** @param {Parameters} wanted */
  async function load(wanted) {
    const mine = ++generation;
    asked = Date.now();
    const found = await getGroups(wanted);
    if (mine === generation) show(found);
  }

  return {
    element,
    load,
    /** Asks again, but not with each change. @param {Parameters} wanted */
    async update(wanted) {
      if (Date.now() - asked >= INTERVAL) await load(wanted);
    },
    /** Moves the focus between groups. @param {string} key */
    moveBy(key) {
      const step = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[key];
      if (step === undefined) return false;
      const links = /** @type {HTMLElement[]} */ ([
        ...list.querySelectorAll(".group"),
      ]);
      const at = links.findIndex((link) => link === document.activeElement);
      links[Math.min(links.length - 1, Math.max(0, at + step))]?.focus();
      return true;
    },
  };
}
