// What the traces of a list say together, and where each is in a picture of
// duration over time.

/** @typedef {import('../types.d.ts').TraceSummary} TraceSummary */

/**
 * Rate, share of errors and quantiles of some traces; null without any.
 * @param {TraceSummary[]} traces
 * @param {number} now milliseconds since 1970
 */
export function listStats(traces, now) {
  if (traces.length === 0) return null;
  const durations = traces
    .map((one) => one.duration_ns)
    .sort((one, other) => one - other);
  const starts = traces.filter((one) => hasPlace(one, now)).map(startMillis);
  const seconds = (Math.max(...starts) - Math.min(...starts)) / 1000;
  return {
    count: traces.length,
    /** A second; null for a moment. */
    rate: seconds > 0 ? starts.length / seconds : null,
    error_rate: traces.filter((one) => one.errors > 0).length / traces.length,
    p50: quantile(durations, 0.5),
    p95: quantile(durations, 0.95),
  };
}

/** The nearest rank. @param {number[]} sorted @param {number} share */
function quantile(sorted, share) {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}

/** A clock that is further ahead than a day would leave no room for the others. */
const MAX_AHEAD = 86_400_000;

/**
 * Whether a trace has a place in time: its start is known and not far ahead.
 * @param {Pick<TraceSummary, 'start_ns'>} summary
 * @param {number} now milliseconds since 1970
 */
export function hasPlace(summary, now) {
  const start = startMillis(summary);
  return start > 0 && start <= now + MAX_AHEAD;
}

/** @param {Pick<TraceSummary, 'start_ns'>} summary milliseconds, with a fraction */
export function startMillis({ start_ns: start }) {
  return Number(start) / 1e6;
}

/** @typedef {{ from: number, to: number, min: number, max: number }} Range */

/**
 * What a picture has to hold: starts in milliseconds, and durations in
 * nanoseconds. Null if no start is known.
 * @param {TraceSummary[]} traces
 * @returns {Range | null}
 */
export function rangeOf(traces) {
  const known = traces.filter((one) => startMillis(one) > 0);
  if (known.length === 0) return null;
  const starts = known.map(startMillis);
  const durations = known.map((one) => Math.max(1, one.duration_ns));
  const [from, to] = [Math.min(...starts), Math.max(...starts)];
  const [min, max] = [Math.min(...durations), Math.max(...durations)];
  return {
    from,
    to: to > from ? to : from + 1000,
    min: min / 1.3,
    max: max * 1.3,
  };
}

/**
 * Where a trace is, each from 0 to 1: from the left, and from below on a scale of
 * logarithms.
 * @param {Range} range
 * @param {TraceSummary} summary
 */
export function place({ from, to, min, max }, summary) {
  const duration = Math.max(1, summary.duration_ns);
  return {
    x: (startMillis(summary) - from) / (to - from),
    y: Math.log(duration / min) / Math.log(max / min),
  };
}

/**
 * The filters of a region, whose corners are places.
 * @param {Range} range
 * @param {{ x: number, y: number }} one
 * @param {{ x: number, y: number }} other
 */
export function regionFilters({ from, to, min, max }, one, other) {
  const [left, right] = [one.x, other.x].sort((a, b) => a - b);
  const [low, high] = [one.y, other.y].sort((a, b) => a - b);
  const at = (/** @type {number} */ x) => from + x * (to - from);
  const lasts = (/** @type {number} */ y) => (min * (max / min) ** y) / 1e6;
  return {
    since: "",
    from: String(Math.max(0, Math.floor(at(left)))),
    to: String(Math.ceil(at(right)) + 1),
    min_duration: String(Number(lasts(low).toPrecision(3))),
    max_duration: String(Number(lasts(high).toPrecision(3))),
  };
}

/**
 * How much of its bar a duration fills, in percent, on a scale of logarithms.
 * @param {number} duration
 * @param {{ min: number, max: number }} range
 */
export function logShare(duration, { min, max }) {
  if (max <= min) return 100;
  const share = Math.log(Math.max(1, duration) / min) / Math.log(max / min);
  return 4 + 96 * Math.min(1, Math.max(0, share));
}
