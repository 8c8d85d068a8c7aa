// Why a trace took its time, and why it failed.

import { peerText } from "./span.js";
import { childrenOf, endOf, rootsOf } from "./subtree.js";

/** @typedef {import('../types.d.ts').Trace} Trace */
/** @typedef {import('../types.d.ts').SpanRow} SpanRow */

/**
 * A service's part of the critical path.
 * @typedef {object} Share
 * @property {string} service
 * @property {number} ns
 * @property {number} share 0 to 1
 * @property {number} ownNs without its waiting for queues, stores and the like
 * @property {{ name: string, ns: number }[]} waits for whom, the longest first
 * @property {number} index the span with the largest part of it
 */

/**
 * The critical path by service, the largest part first.
 * @param {Pick<Trace, 'spans' | 'services'>} trace
 * @returns {{ ns: number, shares: Share[] }}
 */
export function criticalShares({ spans, services }) {
  /** @type {Map<number, { ns: number, most: number, index: number, waits: Map<string, number> }>} */
  const found = new Map();
  let total = 0;
  spans.forEach((span, index) => {
    const ns = criticalTime(span);
    if (ns === 0) return;
    total += ns;
    const part = found.get(span.service) ?? {
      ns: 0,
      most: 0,
      index,
      waits: new Map(),
    };
    found.set(span.service, part);
    part.ns += ns;
    if (ns > part.most) Object.assign(part, { most: ns, index });
    if (span.kind !== "CLIENT" || !span.peer) return;
    const name = peerText(span.peer) || span.name;
    part.waits.set(name, (part.waits.get(name) ?? 0) + ns);
  });
  const shares = [...found].map(([service, { ns, index, waits }]) => {
    const sorted = [...waits]
      .map(([name, ns]) => ({ name, ns }))
      .sort((one, other) => other.ns - one.ns);
    const waited = sorted.reduce((sum, wait) => sum + wait.ns, 0);
    return {
      service: services[service],
      ns,
      share: ns / total,
      ownNs: ns - waited,
      waits: sorted,
      index,
    };
  });
  return { ns: total, shares: shares.sort((one, other) => other.ns - one.ns) };
}

/** How long the response waited for a span. @param {SpanRow} span */
export function criticalTime({ critical }) {
  return critical.reduce((sum, [from, to]) => sum + Math.max(0, to - from), 0);
}

/**
 * Where an error began.
 * @typedef {object} Failure
 * @property {number} index the span
 * @property {boolean} isFatal whether the trace's own root failed
 * @property {number} others failed spans that are not on its way to the top
 */

/**
 * Follows an error down from the root: from each failed span to the failed child
 * that ended last. If no root failed, it starts at the first span that did.
 * @param {SpanRow[]} spans
 * @returns {Failure | null}
 */
export function findFailure(spans) {
  const failed = spans.filter((span) => span.error).length;
  if (failed === 0) return null;
  const root = rootsOf(spans).find((index) => spans[index].error);
  let index = root ?? spans.findIndex((span) => span.error);
  let onTheWay = 0;
  /** @type {number | undefined} */
  let next = index;
  while (next !== undefined) {
    index = next;
    onTheWay++;
    next = lastFailed(spans, index);
  }
  const isFatal = root !== undefined && !spans[root].orphan;
  return { index, isFatal, others: failed - onTheWay };
}

/**
 * The failed span right below another that ended last. Internal spans in between
 * rarely have a status, so they are looked through.
 * @param {SpanRow[]} spans
 * @param {number} index
 */
function lastFailed(spans, index) {
  const above = spans[index];
  /** @type {number | undefined} */
  let last;
  const left = childrenOf(spans, index);
  for (let child = left.pop(); child !== undefined; child = left.pop()) {
    const span = spans[child];
    if (beginsAfter(span, above)) continue;
    if (span.error) {
      if (last === undefined || endOf(span) > endOf(spans[last])) last = child;
    } else if (span.kind === "INTERNAL") {
      left.push(...childrenOf(spans, child));
    }
  }
  return last;
}

// What begins after a span has ended, as asynchronous work may, did not fail it.
/** @param {SpanRow} span @param {SpanRow} above */
function beginsAfter(span, above) {
  return above.time === null && span.offset_ns > endOf(above);
}
