// The query bar: a field that suggests keys and values from the data, and says
// beside it where the query is wrong.

import { getFacets } from "../api.js";
import { count } from "../model/format.js";
import { complete, suggest } from "../model/query.js";
import { isolate } from "../model/text.js";
import { texts } from "../texts.js";
import { el } from "./dom.js";

/** @typedef {import('../model/query.js').Suggestion} Suggestion */
/** @typedef {import('../types.d.ts').Facets} Facets */

/** Facets are asked for again when they are older, in milliseconds. */
const FRESH = 10000;

/**
 * @param {object} options
 * @param {() => void} options.onApply
 * @param {() => void} [options.onInput]
 * @param {string} [options.id] what the ids of its elements begin with
 * @param {string} [options.label]
 * @param {() => Promise<Pick<Facets, 'keys'>>} [options.ask] for what can be suggested
 * @param {Parameters<typeof count>[1]} [options.unit] what a suggestion's number counts
 */
export function queryBar({
  onApply,
  onInput = () => {},
  id = "",
  label = texts.filters.query,
  ask: askFacets = () => getFacets({}),
  unit = "trace",
}) {
  /** @type {Pick<Facets, 'keys'>} */
  let facets = { keys: [] };
  let asked = 0;
  let answer = Promise.resolve();
  /** @type {Suggestion[]} */
  let offered = [];
  let chosen = -1;

  const input = el("input", {
    type: "search",
    name: "q",
    autocomplete: "off",
    autocapitalize: "none",
    spellcheck: "false",
    placeholder:
      'service=shop status>=500 name~"POST" duration>200ms -env=test',
    "aria-label": label,
    role: "combobox",
    "aria-expanded": "false",
    "aria-controls": `${id}suggestions`,
    "aria-autocomplete": "list",
    "aria-describedby": `${id}query-error`,
    oninput: () => {
      offer();
      onInput();
    },
    onclick: offer,
    onfocus: refresh,
    onblur: close,
    onkeydown: handleKey,
  });
  const list = el("ul", {
    id: `${id}suggestions`,
    class: "suggestions",
    role: "listbox",
    "aria-label": texts.filters.suggestions,
    hidden: true,
  });
  const problem = el("p", {
    id: `${id}query-error`,
    class: "query-error bad",
    role: "alert",
    hidden: true,
  });

  function refresh() {
    if (Date.now() - asked > FRESH) {
      asked = Date.now();
      answer = ask();
    }
    return answer;
  }

  async function ask() {
    try {
      facets = await askFacets();
    } catch {
      // Without suggestions the bar still works.
      asked = 0;
    }
  }

  async function offer() {
    await refresh();
    if (document.activeElement !== input) return;
    offered = suggest(facets, input.value, input.selectionStart ?? 0);
    chosen = -1;
    show();
  }

  function show() {
    list.replaceChildren(
      ...offered.map((one, index) =>
        el(
          "li",
          {
            id: `${id}suggestion-${index}`,
            role: "option",
            "aria-selected": String(index === chosen),
            onpointerdown: (/** @type {Event} */ event) => {
              event.preventDefault();
              take(one);
            },
          },
          el("span", {}, isolate(one.label)),
          one.count !== null &&
            el("span", { class: "none" }, count(one.count, unit)),
        ),
      ),
    );
    list.hidden = offered.length === 0;
    input.setAttribute("aria-expanded", String(!list.hidden));
    if (chosen < 0) input.removeAttribute("aria-activedescendant");
    else {
      input.setAttribute("aria-activedescendant", `${id}suggestion-${chosen}`);
      list.children[chosen]?.scrollIntoView({ block: "nearest" });
    }
  }

  function close() {
    offered = [];
    chosen = -1;
    show();
  }

  /** @param {Suggestion} suggestion */
  function take({ text }) {
    const [value, cursor] = complete(
      input.value,
      input.selectionStart ?? 0,
      text,
    );
    input.value = value;
    input.setSelectionRange(cursor, cursor);
    offer();
    onInput();
  }

  /** @param {KeyboardEvent} event */
  function handleKey(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined && offered.length > 0) {
      const places = offered.length + 1;
      chosen = ((chosen + 1 + step + places) % places) - 1;
      show();
    } else if (step === 1) offer();
    else if (event.key === "Enter") {
      if (chosen >= 0) take(offered[chosen]);
      else {
        close();
        onApply();
      }
    } else if (event.key === "Escape" && !list.hidden) {
      close();
      event.stopPropagation();
    } else return;
    event.preventDefault();
  }

  return {
    input,
    elements: [el("span", { class: "query" }, input, list), problem],
    /** @param {{ position: number, reason: string } | null} error */
    showError(error) {
      problem.hidden = error === null;
      input.setAttribute("aria-invalid", String(error !== null));
      if (error === null) return;
      const characters = [...input.value];
      const at = characters.slice(error.position - 1, error.position + 11);
      problem.textContent = texts.filters.character(
        error.position,
        at.join(""),
        error.reason,
      );
    },
  };
}
