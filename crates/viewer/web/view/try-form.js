// The form of "Try it": its fields, what they offer, what is wrong in them, and
// what is kept of them in this tab.

import { FAULTS } from "../model/try-request.js";
import { texts } from "../texts.js";
import { el } from "./dom.js";

/** @typedef {import('../types.d.ts').Child} Child */

const KEY = "try-form";

/**
 * @param {{ onSubmit: () => void, buttons: Child[] }} parts
 */
export function tryForm({ onSubmit, buttons }) {
  const services = el("datalist", { id: "services" });
  const report = el("input", { type: "checkbox", name: "report" });
  const element = el(
    "form",
    {
      class: "try",
      onsubmit: (/** @type {Event} */ event) => {
        event.preventDefault();
        onSubmit();
      },
      oninput: keep,
    },
    field(
      "path",
      texts.tryIt.path,
      texts.tryIt.pathHint,
      el("input", { placeholder: "/process" }),
    ),
    field(
      "payload",
      texts.tryIt.payload,
      texts.tryIt.payloadHint,
      el("textarea", { rows: 3, value: '["item1", "item2"]' }),
    ),
    el(
      "fieldset",
      {},
      el("legend", {}, texts.tryIt.faults),
      field(
        "service",
        texts.service,
        texts.tryIt.serviceHint,
        el("input", { list: "services", placeholder: "*" }),
      ),
      fault("errors", texts.tryIt.errors, texts.tryIt.errorsHint),
      fault("latency", texts.tryIt.latency, texts.tryIt.latencyHint),
      fault("telemetry", texts.tryIt.telemetry, texts.tryIt.telemetryHint),
    ),
    el(
      "fieldset",
      {},
      el("legend", {}, texts.tryIt.repeatable),
      field("seed", texts.tryIt.seed, texts.tryIt.seedHint, el("input")),
      el("label", { class: "check" }, report, " ", texts.tryIt.report),
    ),
    el("div", { class: "steps" }, buttons),
    services,
  );
  restore();

  function keep() {
    const kept = Object.fromEntries(new FormData(element));
    sessionStorage.setItem(KEY, JSON.stringify(kept));
  }

  function restore() {
    const kept = JSON.parse(sessionStorage.getItem(KEY) ?? "{}");
    for (const [name, value] of Object.entries(kept)) {
      const input = inputOf(name);
      if (input === report) report.checked = true;
      else if (input) input.value = String(value);
    }
  }

  /** @param {string} name */
  function inputOf(name) {
    const found = element.elements.namedItem(name);
    return found instanceof HTMLInputElement ||
      found instanceof HTMLTextAreaElement
      ? found
      : null;
  }

  return {
    element,
    data: () => new FormData(element),
    /** Shown where no path is chosen. @param {string} path */
    setPath(path) {
      const input = inputOf("path");
      if (input && input.value === "") input.value = path;
    },
    /** @param {string[]} names */
    offerServices(names) {
      const all = ["*", ...names];
      services.replaceChildren(...all.map((value) => el("option", { value })));
    },
    /** Says what is wrong beside its field; null for nothing. @param {import('../model/try-request.js').FieldError | null} error */
    showError(error) {
      for (const one of element.querySelectorAll(".problem")) {
        const isIt = one.id === `${error?.field}-problem`;
        one.textContent = isIt ? `✕ ${error?.message}` : "";
      }
      for (const one of element.querySelectorAll("[aria-invalid]"))
        one.removeAttribute("aria-invalid");
      const input = error && inputOf(error.field);
      input?.setAttribute("aria-invalid", "true");
      input?.focus();
    },
  };
}

/**
 * @param {string} name
 * @param {string} label
 * @param {string} hint
 * @param {HTMLInputElement | HTMLTextAreaElement} input
 */
function field(name, label, hint, input) {
  input.name = name;
  input.id = `try-${name}`;
  input.autocomplete = "off";
  input.spellcheck = false;
  input.setAttribute("aria-describedby", `${name}-hint ${name}-problem`);
  return el(
    "div",
    { class: "field" },
    el("label", { for: input.id }, label),
    input,
    el("small", { id: `${name}-hint` }, hint),
    el("small", { id: `${name}-problem`, class: "problem bad" }),
  );
}

/** A field that offers the faults of its kind. @param {keyof typeof FAULTS} name @param {string} label @param {string} hint */
function fault(name, label, hint) {
  const list = `${name}-offers`;
  const input = el("input", { list, placeholder: FAULTS[name][0] });
  const element = field(name, label, hint, input);
  const offers = FAULTS[name].map((value) => el("option", { value }));
  element.append(el("datalist", { id: list }, offers));
  return element;
}
