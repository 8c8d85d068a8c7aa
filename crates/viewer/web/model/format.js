// Formats numbers, durations and times for people.

/**
 * A duration, in the unit that fits it.
 * @param {number} ns
 * @returns {string}
 */
export function duration(ns) {
  if (ns === 0) return "0";
  if (ns < 0) return "−" + duration(-ns);
  if (ns < 1e3) return `${ns} ns`;
  if (ns < 1e6) return `${threeDigits(ns / 1e3)} µs`;
  if (ns < 1e9) return `${threeDigits(ns / 1e6)} ms`;
  if (ns < 6e10) return `${threeDigits(ns / 1e9)} s`;
  const seconds = Math.round(ns / 1e9);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** @param {number} number */
function threeDigits(number) {
  if (number >= 100) return number.toFixed(0);
  return number >= 10 ? number.toFixed(1) : number.toFixed(2);
}

/**
 * A number with its noun.
 * @param {number} number
 * @param {string} noun in the singular
 */
export function count(number, noun) {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}

/** @param {number} number */
export function bytes(number) {
  if (number < 1024) return `${number} B`;
  if (number < 1048576) return `${(number / 1024).toFixed(0)} KiB`;
  return `${(number / 1048576).toFixed(1)} MiB`;
}

/**
 * How often something happens, by the second or the minute.
 * @param {{ rate: number }} stats
 */
export function rate({ rate }) {
  if (rate >= 10) return `${rate.toFixed(0)}/s`;
  return rate >= 0.095
    ? `${rate.toFixed(1)}/s`
    : `${(rate * 60).toFixed(1)}/min`;
}

/**
 * The share of calls that failed.
 * @param {{ error_rate: number }} stats
 */
export function errorPercentage({ error_rate: share }) {
  const percent = 100 * share;
  return `${percent === 0 || percent >= 10 ? percent.toFixed(0) : percent.toFixed(1)} %`;
}

/**
 * Nanoseconds since 1970, which JSON carries as text, in milliseconds.
 * @param {string} ns
 */
export function toMillis(ns) {
  return Number(BigInt(ns) / 1000000n);
}

/**
 * How long ago a moment was; both in milliseconds since 1970.
 * @param {number} then
 * @param {number} now
 */
export function timeAgo(then, now) {
  const seconds = Math.max(0, Math.round((now - then) / 1000));
  if (seconds < 5) return "now";
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86400)} d ago`;
}

/**
 * When a trace has started: it may be unknown, and a clock may be ahead.
 * @param {number} then in milliseconds since 1970, 0 if it is unknown
 * @param {number} now
 */
export function startedAgo(then, now) {
  if (then <= 0) return "no start";
  const ahead = then - now;
  if (ahead < 5000) return timeAgo(then, now);
  return timeAgo(now - ahead, now).replace(/(.*) ago/, "in $1");
}

/**
 * A moment in local time: to the minute, with its day unless that is today.
 * @param {number} then
 * @param {number} now
 */
export function shortTimestamp(then, now) {
  const [day, time] = timestamp(then).split(" ");
  const minute = time.slice(0, 5);
  return timestamp(now).startsWith(day) ? minute : `${day} ${minute}`;
}

/**
 * A moment in local time, to the millisecond.
 * @param {number} ms since 1970
 */
export function timestamp(ms) {
  const at = new Date(ms);
  const two = (/** @type {number} */ number) => String(number).padStart(2, "0");
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  const time = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  return `${day} ${time}.${String(at.getMilliseconds()).padStart(3, "0")}`;
}
