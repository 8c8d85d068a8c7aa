// The page's texts in the language that is shown. English comes with the page,
// another language before anything is drawn.

import { chooseLanguage } from "./model/language.js";
import { en } from "./texts/en.js";

/** Where the choice is remembered. */
const KEY = "language";

// Without a document, as in tests, it is English.
export const language =
  typeof document === "undefined"
    ? "en"
    : chooseLanguage(localStorage.getItem(KEY), navigator.languages);

/** @type {import('./texts/en.js').Texts} */
export const texts =
  language === "en" ? en : (await import("./texts/pt-BR.js")).ptBR;

/** Remembers a language, which is shown when the page is loaded again. @param {string} chosen */
export function rememberLanguage(chosen) {
  localStorage.setItem(KEY, chosen);
}
