// Which of the page's languages is shown.

/** @typedef {'en' | 'pt-BR'} Language */

/** Each language with its own name. @type {[Language, string][]} */
export const LANGUAGES = [
  ["en", "English"],
  ["pt-BR", "Português"],
];

/**
 * What was chosen on the page, or else the first language of the browser that
 * the page has; English without any.
 * @param {string | null} stored
 * @param {readonly string[]} wanted as `navigator.languages`
 * @returns {Language}
 */
export function chooseLanguage(stored, wanted) {
  for (const tag of [stored ?? "", ...wanted]) {
    const [base] = tag.toLowerCase().split("-");
    const found = LANGUAGES.find(([known]) => known.split("-")[0] === base);
    if (found) return found[0];
  }
  return "en";
}
