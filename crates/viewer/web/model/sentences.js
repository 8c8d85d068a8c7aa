// The two sentences on top of a trace, as parts: texts, and spans to go to.

import { texts } from "../texts.js";
import { criticalShares, findFailure } from "./explain.js";
import { count, duration } from "./format.js";

/** @typedef {import('../types.d.ts').Trace} Trace */
/** A text, or a sender's text that leads to a span. @typedef {string | { text: string, index: number }} Part */

/** More services than this are summed up. */
const MAX_NAMED = 3;
/** A part of the path that is smaller is not worth a word. */
const MIN_SHARE = 0.02;

/**
 * Why the trace took its time; null where nothing took any.
 * @param {Pick<Trace, 'spans' | 'services' | 'duration_ns'>} trace
 * @returns {Part[] | null}
 */
export function slowSentence(trace) {
  const { ns, shares } = criticalShares(trace);
  if (ns === 0) return null;
  const [first, ...others] = shares.filter(
    ({ share }, at) => at === 0 || share >= MIN_SHARE,
  );
  const named = others.slice(0, MAX_NAMED);
  const rest = shares.length - 1 - named.length;
  return [
    { text: first.service, index: first.index },
    ` ${percent(first.share)}${ownTime(first)}`,
    ...named.flatMap(({ service, share, index }) => [
      ", ",
      { text: service, index },
      ` ${percent(share)}`,
    ]),
    rest > 0 ? texts.summary.rest(count(rest, "other service")) : "",
    texts.summary.ofAll(duration(ns)),
    ns < trace.duration_ns
      ? texts.summary.goesOn(duration(trace.duration_ns))
      : ".",
  ];
}

/** @param {number} share */
function percent(share) {
  const whole = Math.round(100 * share);
  return whole === 100 && share < 1 ? "99 %" : `${whole} %`;
}

/** @param {import('./explain.js').Share} share */
function ownTime({ ns, ownNs, waits }) {
  if (waits.length === 0) return ` (${duration(ns)})`;
  const longest = waits[0];
  const [own, waited] = [duration(ownNs), duration(longest.ns)];
  return ` (${texts.summary.ownTime(own, waited, longest.name)})`;
}

/**
 * Why the trace failed; null where nothing did.
 * @param {Pick<Trace, 'spans' | 'services'>} trace
 * @returns {{ index: number, lead: string, parts: Part[], others: string } | null}
 */
export function failureSentence({ spans, services }) {
  const failure = findFailure(spans);
  if (failure === null) return null;
  const { index, isFatal, others } = failure;
  const span = spans[index];
  return {
    index,
    lead: isFatal ? texts.summary.failed : texts.summary.failedOnTheWay,
    parts: [{ text: `${services[span.service]} ${span.name}`, index }],
    others: others > 0 ? texts.summary.besides(others) : "",
  };
}

/**
 * The exception of a span in one line, or its status message; empty for none.
 * @param {Pick<import('../types.d.ts').SpanDetails, 'events' | 'status'>} span
 */
export function exceptionText({ events, status }) {
  const last = events.findLast((event) => event.name === "exception");
  const text = (/** @type {string} */ key) => {
    const found = last?.attributes.find(
      (one) => one.key === `exception.${key}`,
    );
    return found ? (found.text ?? String(found.value)).split("\n")[0] : "";
  };
  const exception = [text("type"), text("message")].filter(Boolean).join(": ");
  return exception || status.message.split("\n")[0];
}
