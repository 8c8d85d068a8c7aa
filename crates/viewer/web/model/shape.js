// The shape of traces that went the same way, in words.

import { texts } from "../texts.js";
import { count, integer } from "./format.js";
import { answerText } from "./outcome.js";

/** @typedef {Pick<import('../types.d.ts').TraceGroup, 'outcome' | 'error_service'>} Ended */

/**
 * How the traces of a shape ended: "200", "502 from fraud".
 * @param {Ended} shape
 */
export function endOf({ outcome, error_service: from }) {
  const answer = answerText(outcome) || texts.shape.noRoot;
  if (from === null) return answer;
  // Where spans that were not read would have to tell.
  const service = from || texts.shape.unknownService;
  return `${answer} ${texts.shape.from} ${service}`;
}

/**
 * The parameter that finds a shape, in words.
 * @param {string} parameter a JSON array
 */
export function shapeLabel(parameter) {
  try {
    const [service, name, outcome, from, services] = JSON.parse(parameter);
    const end = endOf({ outcome, error_service: from });
    return `${service} ${name}: ${end}, ${count(services, "service")}`;
  } catch {
    return parameter;
  }
}

/** "7 spans", "4–6 spans". @param {[number, number]} range */
export function spansOf([fewest, most]) {
  const spans = count(most, "span");
  return fewest === most ? spans : `${integer(fewest)}–${spans}`;
}
