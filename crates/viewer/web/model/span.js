// What the page says about a span besides its own fields.

import { texts } from "../texts.js";
import { count, duration } from "./format.js";
import { childrenOf } from "./subtree.js";

/** @typedef {import('../types.d.ts').SpanRow} SpanRow */
/** @typedef {import('../types.d.ts').TimeProblem} TimeProblem */
/** A text and its explanation. @typedef {{ text: string, title: string }} Badge */

/** What is wrong with a span's times. @type {Record<TimeProblem, Badge>} */
export const TIME_PROBLEMS = {
  no_start: {
    text: texts.span.noStart,
    title: texts.span.noStartTitle,
  },
  no_end: {
    text: texts.span.noEnd,
    title: texts.span.noEndTitle,
  },
  end_before_start: {
    text: texts.span.endsEarly,
    title: texts.span.endsEarlyTitle,
  },
};

/**
 * The badges of a span in its trace.
 * @param {SpanRow} span
 * @param {string} traceId
 * @returns {Badge[]}
 */
export function badges(span, traceId) {
  const found = [];
  if (span.orphan)
    found.push({
      text: texts.span.parentMissing,
      title: texts.span.parentMissingTitle(span.parent),
    });
  if (span.cycle)
    found.push({
      text: texts.span.cycle,
      title: texts.span.cycleTitle,
    });
  if (span.skew_ns > 0) {
    const skew = duration(span.skew_ns);
    found.push({
      text: `⇤ ${skew}`,
      title: texts.span.skewTitle(skew),
    });
  }
  if (span.time) found.push(TIME_PROBLEMS[span.time]);
  if (span.links.some((link) => hasTarget(link) && link.trace_id !== traceId)) {
    found.push({ text: "↗", title: texts.span.linksOut });
  }
  if (span.linked_from > 0) {
    const links = count(span.linked_from, "link");
    found.push({ text: "↙", title: texts.span.linksIn(links) });
  }
  return found;
}

/**
 * Whether a link names a span.
 * @param {{ trace_id: string, span_id: string }} link
 */
export function hasTarget(link) {
  return !/^0*$/.test(link.trace_id) && !/^0*$/.test(link.span_id);
}

/**
 * A queue, a store or a server in one phrase: its system and its name.
 * @param {import('../types.d.ts').Peer} peer
 */
export function peerText({ system, name }) {
  return [system, name === system ? "" : name].filter(Boolean).join(" ");
}

/**
 * A span's peer, with an arrow in the direction of the call or the message.
 * @param {SpanRow} span
 */
export function peerLabel({ kind, peer }) {
  if (!peer) return "";
  return `${kind === "CONSUMER" ? "←" : "→"} ${peerText(peer)}`;
}

/**
 * Whom a span calls or writes to: its peer, or the services that answered, as
 * the spans below it say.
 * @param {Pick<import('../types.d.ts').Trace, 'spans' | 'services'>} trace
 * @param {number} index
 */
export function calleeLabel({ spans, services }, index) {
  const span = spans[index];
  if (span.peer || !["CLIENT", "PRODUCER"].includes(span.kind))
    return peerLabel(span);
  const callees = childrenOf(spans, index)
    .map((child) => spans[child].service)
    .filter((service) => service !== span.service);
  const names = [...new Set(callees)].map((service) => services[service]);
  return names.length > 0 ? `→ ${names.join(", ")}` : "";
}

/**
 * The status that a call was answered with, and the number of its try.
 * @param {SpanRow} span
 */
export function outcomeLabel({ status, resend }) {
  const number = resend > 0 ? texts.span.try(resend + 1) : "";
  return [status, number].filter(Boolean).join(" · ");
}

/**
 * The label of a span's kind. INTERNAL, the default, has none.
 * @param {SpanRow} span
 */
export function kindLabel({ kind }) {
  return ["INTERNAL", "UNSPECIFIED"].includes(kind) ? "" : kind.toLowerCase();
}

/**
 * The spans of a trace that deserve a mention, counted.
 * @param {import('../types.d.ts').Trace} trace
 */
export function traceCounts({
  spans,
  incomplete,
  links_left_out: linksLeftOut,
}) {
  return {
    errors: spans.filter((span) => span.error).length,
    orphans: spans.filter((span) => span.orphan).length,
    skewed: spans.filter((span) => span.skew_ns > 0).length,
    refused: incomplete?.refused ?? 0,
    linksLeftOut,
  };
}
