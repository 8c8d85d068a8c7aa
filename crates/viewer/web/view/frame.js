// The frame around the views: its texts, and the menu of languages.

import { LANGUAGES } from "../model/language.js";
import { language, rememberLanguage, texts } from "../texts.js";
import { el } from "./dom.js";

/** The attributes of index.html that name a text, and where it is shown. */
const TARGETS = [
  ["data-text", ""],
  ["data-label", "aria-label"],
  ["data-title", "title"],
];

/** Shows the texts of index.html in the page's language. */
export function showTexts() {
  document.documentElement.lang = language;
  for (const [source, target] of TARGETS)
    for (const one of document.querySelectorAll(`[${source}]`)) {
      const text = textOf(one.getAttribute(source) ?? "");
      if (target === "") one.textContent = text;
      else one.setAttribute(target, text);
    }
}

/** A text by its key, such as `page.skip`. @param {string} key */
function textOf(key) {
  /** @type {any} */
  let found = texts;
  for (const name of key.split(".")) found = found[name];
  return String(found);
}

/** A choice is remembered, and the page is loaded again at the same address. */
export function languageMenu() {
  /** @type {HTMLSelectElement} */
  const menu = el(
    "select",
    {
      class: "quiet language",
      "aria-label": texts.page.language,
      onchange() {
        rememberLanguage(menu.value);
        location.reload();
      },
    },
    LANGUAGES.map(([value, name]) =>
      el("option", { value, lang: value }, name),
    ),
  );
  menu.value = language;
  return menu;
}
