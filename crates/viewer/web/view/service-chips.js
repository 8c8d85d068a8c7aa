// The services of a trace in one line: as many as fit, and how many more there are.

import { colourClass } from "../model/colour.js";
import { fitting } from "../model/fit.js";
import { count, integer } from "../model/format.js";
import { isolate } from "../model/text.js";
import { texts } from "../texts.js";
import { el, untrusted } from "./dom.js";
import { textWidth } from "./text-width.js";

/** @typedef {import('../types.d.ts').TraceSummary} TraceSummary */

/** As in list.css: a chip's padding, border and inner gap, and its greatest width. */
const EDGES = 26;
const MAX_WIDTH = 180;
const GAP = 4;
/** Room for "+27". */
const REST = 44;

/**
 * @param {TraceSummary} summary
 * @param {{ room: number, font: string }} line in pixels, and the font of a chip
 */
export function serviceChips({ services, more_services: more }, line) {
  const widths = services.map(({ name, spans }) =>
    Math.min(MAX_WIDTH, EDGES + textWidth(name + spans, line.font)),
  );
  const rest = more > 0 ? [...widths, Infinity] : widths;
  const many = fitting(rest, line.room, { gap: GAP, rest: REST });
  const hidden = services.length - many + more;
  const chips = services.slice(0, many).map(chip);
  if (hidden === 0) return chips;
  const names = services.slice(many).map(({ name }) => isolate(name));
  const title = [
    ...names,
    ...(more > 0 ? [texts.row.more(integer(more))] : []),
  ];
  const label = many > 0 ? `+${integer(hidden)}` : count(hidden, "service");
  return [
    ...chips,
    el("span", { class: "chip rest", title: title.join(", ") }, label),
  ];
}

/** @param {import('../types.d.ts').ServiceCounts} service */
function chip({ name, spans, errors }) {
  const title = `${isolate(name)}: ${count(spans, "span")}, ${count(errors, "error")}`;
  return el(
    "span",
    { class: `chip ${colourClass(name)}${errors ? " failed" : ""}`, title },
    el("span", { class: "cut" }, untrusted(name)),
    " ",
    el("b", {}, spans),
  );
}
