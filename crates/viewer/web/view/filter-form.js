// The form with the list's filters.

import { getServices } from "../api.js";
import { MAX_ATTRIBUTES, readFilters } from "../model/filters.js";
import { parseRoute } from "../model/route.js";
import { isolate } from "../model/text.js";
import { announce, el } from "./dom.js";

const PERIODS = [
  ["", "Any time"],
  ["1", "Last minute"],
  ["15", "Last 15 minutes"],
  ["60", "Last hour"],
];

/**
 * @param {URLSearchParams} query the filters of the address
 * @param {{ onApply: () => void, onReset: () => void }} handlers
 */
export function filterForm(query, { onApply, onReset }) {
  const services = el(
    "select",
    { name: "service", "aria-label": "Service" },
    el("option", { value: "" }, "All services"),
  );
  const given = query.has("attribute") ? query.getAll("attribute") : [""];
  const attributes = el(
    "span",
    { class: "several" },
    given.slice(0, MAX_ATTRIBUTES).map(attributeField),
  );
  const element = el(
    "form",
    { class: "filters", role: "search", onsubmit: submit },
    el("input", {
      type: "search",
      name: "text",
      placeholder: "Name, service or trace id",
      "aria-label": "Search traces",
      value: query.get("text") ?? "",
    }),
    services,
    attributes,
    el(
      "button",
      {
        type: "button",
        "aria-label": "Another attribute",
        title: "Another attribute",
        onclick: addAttribute,
      },
      "+",
    ),
    durationField(query.get("min_duration") ?? ""),
    el(
      "select",
      { name: "since", "aria-label": "Time" },
      PERIODS.map(([value, text]) => el("option", { value }, text)),
    ),
    el(
      "label",
      {},
      el("input", {
        type: "checkbox",
        name: "errors",
        checked: query.get("errors") === "true",
      }),
      " Errors only",
    ),
    el("button", { class: "primary" }, "Filter"),
    el("button", { type: "button", onclick: reset }, "Reset"),
  );
  element.addEventListener("change", onApply);
  fillServices();

  /** @param {SubmitEvent} event */
  function submit(event) {
    event.preventDefault();
    onApply();
  }

  function addAttribute() {
    if (attributes.children.length < MAX_ATTRIBUTES)
      attributes.append(attributeField(""));
    const last = /** @type {HTMLInputElement} */ (attributes.lastElementChild);
    last.focus();
  }

  function reset() {
    for (const field of /** @type {Iterable<HTMLInputElement>} */ (
      element.elements
    )) {
      if (field.type === "checkbox") field.checked = false;
      else if (field.name) field.value = "";
    }
    attributes.replaceChildren(attributeField(""));
    onReset();
  }

  async function fillServices() {
    try {
      const chosen = services.value || query.get("service") || "";
      const names = (await getServices()).services.map((one) => one.name);
      if (chosen && !names.includes(chosen)) names.push(chosen);
      services.replaceChildren(
        el("option", { value: "" }, "All services"),
        ...names.map((name) => el("option", { value: name }, isolate(name))),
      );
      services.value = chosen;
    } catch (error) {
      announce(error);
    }
  }

  function read() {
    const calls = parseRoute(location.hash).query.get("calls") ?? "";
    const filters = readFilters(new FormData(element), calls, Date.now());
    // The address names a service before the form can offer it.
    if (services.length === 1) filters.service = query.get("service") ?? "";
    return filters;
  }

  /** Updates the services to choose from when one is new. @param {string[]} names */
  function offer(names) {
    const known = new Set([...services.options].map((option) => option.value));
    if (names.some((name) => !known.has(name))) fillServices();
  }

  return { element, read, offer };
}

/** @param {string} value */
function attributeField(value) {
  return el("input", {
    name: "attribute",
    placeholder: "attribute=value",
    "aria-label": "Attribute, as key=value",
    value,
  });
}

/** @param {string} value */
function durationField(value) {
  const input = {
    name: "min_duration",
    class: "short",
    inputmode: "decimal",
    "aria-label": "Minimum duration in milliseconds",
    value,
  };
  return el("label", {}, "≥ ", el("input", input), " ms");
}
