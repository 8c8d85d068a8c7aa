// A list of attributes, each with what can be done with it.

import {
  beginning,
  excludeAddress,
  filterAddress,
  isLong,
  isPreformatted,
  valueText,
} from "../model/attribute.js";
import { count } from "../model/format.js";
import { isolate } from "../model/text.js";
import { texts } from "../texts.js";
import { copyButton } from "./copy-button.js";
import { el, untrusted } from "./dom.js";

/** @typedef {import('../types.d.ts').Attribute} Attribute */

/**
 * @param {Attribute[]} attributes
 * @param {{ isFiltered: boolean }} [options] whether the list can be filtered by them
 */
export function attributeList(
  attributes,
  { isFiltered } = { isFiltered: true },
) {
  if (attributes.length === 0) return null;
  return el(
    "dl",
    { class: "attributes" },
    attributes.map((one) => [
      el("dt", {}, untrusted(one.key, texts.noKey)),
      el("dd", {}, value(one), tools(one, isFiltered)),
    ]),
  );
}

/** @param {Attribute} attribute */
function value(attribute) {
  const text = valueText(attribute);
  const isLiteral = isPreformatted(attribute);
  const whole = el(
    "span",
    { class: isLiteral ? "value literal" : "value" },
    untrusted(text),
  );
  if (!isLong(text)) return whole;
  const lines = text.split("\n").length;
  const size =
    lines > 1 ? count(lines, "line") : count(text.length, "character");
  return el(
    "details",
    { class: "fold-value" },
    el("summary", {}, untrusted(beginning(text)), ` (${size})`),
    whole,
  );
}

/** @param {Attribute} attribute @param {boolean} isFiltered */
function tools(attribute, isFiltered) {
  const name = isolate(attribute.key);
  const link = (
    /** @type {string} */ text,
    /** @type {string} */ href,
    /** @type {string} */ title,
  ) => el("a", { href, title, "aria-label": `${text}: ${title}` }, text);
  return el(
    "span",
    { class: "tools" },
    isFiltered && [
      link(
        texts.details.filter,
        filterAddress(attribute),
        texts.details.filterTitle(name),
      ),
      link(
        texts.details.exclude,
        excludeAddress(attribute),
        texts.details.excludeTitle(name),
      ),
    ],
    copyButton(valueText(attribute), name),
  );
}
