// Numbers with their nouns, by the rules of a language.

/** A noun in the singular and in the plural. @typedef {[string, string]} Noun */

/** @param {string} language */
export function counter(language) {
  const rules = new Intl.PluralRules(language);
  const numbers = new Intl.NumberFormat(language);
  return (/** @type {number} */ number, /** @type {Noun} */ [one, other]) =>
    `${numbers.format(number)} ${rules.select(number) === "one" ? one : other}`;
}
