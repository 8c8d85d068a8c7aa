// Menus of services, operations, kinds and statuses, each with the number of
// traces that have it. A choice adds a term to the query, or removes it.

import { getFacets } from "../api.js";
import { toParameters } from "../model/filters.js";
import { count, integer } from "../model/format.js";
import { hasTerm, quote, toggleTerm } from "../model/query.js";
import { isolate } from "../model/text.js";
import { texts } from "../texts.js";
import { el, toMessage } from "./dom.js";

/** @typedef {import('../model/filters.js').Filters} Filters */

const MENUS = [
  ["service", texts.service],
  ["name", texts.operation],
  ["kind", texts.filters.kind],
  ["status", texts.status],
];

/**
 * @param {{ read: () => Filters, onQuery: (q: string) => void }} handlers
 */
export function facetMenus({ read, onQuery }) {
  const menus = MENUS.map(([key, label]) => menu(key, label));
  const element = el("span", { class: "facets" }, menus);
  document.addEventListener("pointerdown", closeOthers);

  /** @param {string} key @param {string} label */
  function menu(key, label) {
    const values = el("div", { class: "facet-values" }, texts.loading);
    /** @type {HTMLDetailsElement} */
    const details = el("details", {
      class: "facet",
      name: "facet",
      ontoggle: () => details.open && fill(),
      onkeydown: (/** @type {KeyboardEvent} */ event) => {
        if (event.key !== "Escape" || !details.open) return;
        details.open = false;
        summary.focus();
        event.stopPropagation();
      },
    });
    const summary = el("summary", {}, label);
    details.append(summary, values);

    async function fill() {
      try {
        const facets = await getFacets(toParameters(read(), Date.now()));
        const found = facets.keys.find((one) => one.key === key && one.field);
        const counted = count(facets.traces, "trace");
        values.replaceChildren(
          el(
            "p",
            { class: "note" },
            facets.more
              ? texts.filters.ofNewest(counted)
              : texts.filters.of(counted),
          ),
          ...(found?.values ?? []).map(([value, traces]) =>
            chip(`${key}=${quote(value)}`, value, traces),
          ),
          ...(found?.more
            ? [el("p", { class: "note" }, texts.filters.others)]
            : []),
        );
      } catch (error) {
        values.replaceChildren(toMessage(error));
      }
    }

    /** @param {string} term @param {string} value @param {number} traces */
    function chip(term, value, traces) {
      return el(
        "button",
        {
          type: "button",
          class: "chip",
          "aria-pressed": String(hasTerm(read().q, term)),
          onclick: () => {
            details.open = false;
            summary.focus();
            onQuery(toggleTerm(read().q, term));
          },
        },
        isolate(value),
        " ",
        el("b", {}, integer(traces)),
      );
    }

    return details;
  }

  /** @param {Event} event */
  function closeOthers(event) {
    for (const one of menus)
      if (event.target instanceof Node && !one.contains(event.target))
        one.open = false;
  }

  return {
    element,
    dispose() {
      document.removeEventListener("pointerdown", closeOthers);
    },
  };
}
