// Attributes as text: what filters take, and how long values are shown.

/** @typedef {import('../types.d.ts').Attribute} Attribute */

/** A value that is longer, or has more lines, is folded. */
const MAX_LENGTH = 300;
const MAX_LINES = 4;

/** The exact text of a value. @param {Attribute} attribute */
export function valueText({ value, text }) {
  return text ?? String(value);
}

/**
 * The address of the list, filtered by an attribute.
 * @param {Attribute} attribute
 */
export function filterAddress(attribute) {
  const query = new URLSearchParams();
  query.append("attribute", `${attribute.key}=${valueText(attribute)}`);
  return `#/?${query}`;
}

/**
 * The address of the list without the traces that have an attribute.
 * @param {Attribute} attribute
 */
export function excludeAddress(attribute) {
  const query = new URLSearchParams();
  const value = valueText(attribute);
  query.append("q", `-${quoted(attribute.key)}=${quoted(value)}`);
  return `#/?${query}`;
}

// In quotes every text stands for itself.
/** @param {string} text */
function quoted(text) {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}

/**
 * Whether a value is text of several lines or in a language of its own, which is
 * shown in letters of one width.
 * @param {Attribute} attribute
 */
export function isPreformatted({ key, value, text }) {
  if (typeof value !== "string") return text !== undefined;
  return (
    /(^|\.)(stacktrace|stack|query\.text|statement|sql)$/.test(key) ||
    value.includes("\n")
  );
}

/** Whether a value takes so much room that it is folded. @param {string} text */
export function isLong(text) {
  return text.length > MAX_LENGTH || text.split("\n").length > MAX_LINES;
}

/** What is seen of a folded value: its first line. @param {string} text */
export function beginning(text) {
  const line = text.split("\n").find((one) => one.trim() !== "") ?? "";
  return line.length > 80 ? `${line.slice(0, 80)}…` : line;
}
