// The shape of traces that went the same way, in words.

/** Where spans that were not read would have to tell. */
export const UNKNOWN_SERVICE = "an unknown service";

/** @typedef {Pick<import('../types.d.ts').TraceGroup, 'outcome' | 'error_service'>} Ended */

/**
 * How the traces of a shape ended: "200", "502 from fraud".
 * @param {Ended} shape
 */
export function endOf({ outcome, error_service: from }) {
  const answer = outcome || "no root";
  if (from === null) return answer;
  return `${answer} from ${from || UNKNOWN_SERVICE}`;
}

/**
 * The parameter that finds a shape, in words.
 * @param {string} parameter a JSON array
 */
export function shapeLabel(parameter) {
  try {
    const [service, name, outcome, from, services] = JSON.parse(parameter);
    const end = endOf({ outcome, error_service: from });
    return `${service} ${name}: ${end}, ${services} service${services === 1 ? "" : "s"}`;
  } catch {
    return parameter;
  }
}

/** "7 spans", "4–6 spans". @param {[number, number]} range */
export function spansOf([fewest, most]) {
  if (fewest === most) return `${most} span${most === 1 ? "" : "s"}`;
  return `${fewest}–${most} spans`;
}
