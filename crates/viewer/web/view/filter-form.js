// The form with the list's filters: the query, the time range, chips of values
// to choose from, and chips of what a link has set.

import {
  PERIODS,
  chips,
  filtersToQuery,
  fromLocalTime,
  readFilters,
  toLocalTime,
  withoutChip,
} from "../model/filters.js";
import { isolate } from "../model/text.js";
import { texts } from "../texts.js";
import { el } from "./dom.js";
import { facetMenus } from "./facet-menus.js";
import { queryBar } from "./query-bar.js";

/** @typedef {import('../model/filters.js').Filters} Filters */

/**
 * @param {URLSearchParams} query the filters of the address
 * @param {{ onApply: () => void }} handlers
 */
export function filterForm(query, { onApply }) {
  let filters = readFilters(query);

  const bar = queryBar({ onApply: apply });
  const menus = facetMenus({
    read,
    onQuery(q) {
      bar.input.value = q;
      apply();
    },
  });
  const since = el(
    "select",
    { name: "since", "aria-label": texts.filters.time, onchange: changePeriod },
    PERIODS.map(([value, text]) => el("option", { value }, text)),
  );
  const from = timeField("from", texts.filters.from);
  const to = timeField("to", texts.filters.to);
  const range = el("span", { class: "range", hidden: true }, from, "–", to);
  const set = el("span", { class: "several" });
  const element = el(
    "form",
    { class: "filters", role: "search", onsubmit: submit },
    bar.elements[0],
    el("button", { class: "primary" }, texts.filters.search),
    el("button", { type: "button", onclick: reset }, texts.filters.reset),
    bar.elements[1],
    el(
      "details",
      { class: "more-filters", open: matchMedia("(min-width: 761px)").matches },
      el("summary", {}, texts.filters.title),
      el("span", { class: "choices" }, since, range, menus.element),
    ),
    set,
  );
  show();

  /** @param {SubmitEvent} event */
  function submit(event) {
    event.preventDefault();
    apply();
  }

  function apply() {
    filters = read();
    show();
    onApply();
  }

  function reset() {
    setFilters(new URLSearchParams());
    onApply();
  }

  function changePeriod() {
    range.hidden = since.value !== "range";
    if (since.value !== "range") apply();
    else from.focus();
  }

  /** @returns {Filters} */
  function read() {
    const isRange = since.value === "range";
    return {
      ...filters,
      q: bar.input.value.trim(),
      since: isRange ? "" : since.value,
      from: isRange ? readTime(from, filters.from) : "",
      to: isRange ? readTime(to, filters.to) : "",
    };
  }

  /** @param {URLSearchParams} query */
  function setFilters(query) {
    filters = readFilters(query);
    show();
  }

  function show() {
    const isRange = filters.from !== "" || filters.to !== "";
    bar.input.value = filters.q;
    since.value = isRange ? "range" : filters.since;
    if (since.selectedIndex < 0) since.value = "";
    range.hidden = !isRange;
    from.value = toLocalTime(filters.from);
    to.value = toLocalTime(filters.to);
    set.replaceChildren(
      ...chips(filters).map((chip) =>
        el(
          "button",
          {
            type: "button",
            class: "chip",
            title: texts.filters.remove,
            onclick: () => {
              filters = withoutChip(read(), chip);
              show();
              onApply();
            },
          },
          isolate(chip.label),
          " ✕",
        ),
      ),
    );
  }

  return {
    element,
    read,
    setFilters,
    /** Adds filters, such as those of a region. @param {Partial<Filters>} some */
    add(some) {
      filters = { ...read(), ...some };
      show();
      onApply();
    },
    /** The filters as part of an address. */
    toQuery: () => filtersToQuery(read()),
    showError: bar.showError,
    dispose: menus.dispose,
  };

  /** @param {string} name @param {string} label */
  function timeField(name, label) {
    return el("input", {
      type: "datetime-local",
      step: 1,
      name,
      "aria-label": label,
      onchange: apply,
    });
  }
}

// A field has seconds, an address milliseconds: what was not changed stays.
/** @param {HTMLInputElement} field @param {string} known */
function readTime(field, known) {
  return field.value === toLocalTime(known) ||
    field.value === toLocalTime(known).slice(0, 16)
    ? known
    : fromLocalTime(field.value);
}
