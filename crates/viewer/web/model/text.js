// Names and values as senders chose them: invisible, reversed, or cut within a
// character.

import { texts } from "../texts.js";

// Controls, separators, and letters that are drawn as nothing.
const INVISIBLE = /^[\p{C}\p{Z}\u115F\u1160\u2800\u3164\uFFA0]*$/u;
const DIRECTION_MARKS = /[\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/g;
const COMBINING_START = /^[\p{M}\u200D]/u;

/**
 * Whether nothing of a text is visible.
 * @param {string} text
 */
export function isBlank(text) {
  return INVISIBLE.test(text);
}

/**
 * Whether a text begins within a character, as one that was cut may.
 * @param {string} text
 */
export function startsWithinCharacter(text) {
  return COMBINING_START.test(text);
}

/**
 * A name as part of a longer text, whose direction it can't change. For elements
 * of their own there is `untrusted` in view/dom.js.
 * @param {string} name
 */
export function isolate(name) {
  if (isBlank(name)) return name === "" ? texts.noName : texts.blank;
  return `\u2068${name.replace(DIRECTION_MARKS, "")}\u2069`;
}

/**
 * The longest beginning of a text that fits, in whole characters as people count
 * them.
 * @param {string} text
 * @param {(part: string) => boolean} fits
 */
export function truncateToFit(text, fits) {
  if (fits(text)) return text;
  const starts = [...new Intl.Segmenter().segment(text)].map(
    (one) => one.index,
  );
  let [low, high] = [0, starts.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (fits(`${text.slice(0, starts[middle])}…`)) low = middle;
    else high = middle - 1;
  }
  return `${text.slice(0, starts[low] ?? 0)}…`;
}
