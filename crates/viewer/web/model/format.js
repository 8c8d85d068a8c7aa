// Formats numbers, durations and times for people, in the page's language.

import { language, texts } from "../texts.js";

const whole = new Intl.NumberFormat(language);
/** By the number of decimals. @type {Intl.NumberFormat[]} */
const decimals = [];

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
  if (number >= 100) return fixed(number, 0);
  return fixed(number, number >= 10 ? 1 : 2);
}

/**
 * A number with so many decimals.
 * @param {number} number
 * @param {number} digits
 */
export function fixed(number, digits) {
  decimals[digits] ??= new Intl.NumberFormat(language, {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
    useGrouping: false,
  });
  return decimals[digits].format(number);
}

/** A whole number. @param {number} number */
export function integer(number) {
  return whole.format(number);
}

/** A number with its noun, which is named as in `texts/en.js`. */
export const { count } = texts;

/** @param {number} number */
export function bytes(number) {
  if (number < 1024) return `${number} B`;
  if (number < 1048576) return `${fixed(number / 1024, 0)} KiB`;
  return `${fixed(number / 1048576, 1)} MiB`;
}

/**
 * How often something happens, by the second or the minute.
 * @param {{ rate: number }} stats
 */
export function rate({ rate }) {
  if (rate >= 10) return `${fixed(rate, 0)}/s`;
  return rate >= 0.095 ? `${fixed(rate, 1)}/s` : `${fixed(rate * 60, 1)}/min`;
}

/**
 * The share of calls that failed.
 * @param {{ error_rate: number }} stats
 */
export function errorPercentage({ error_rate: share }) {
  const percent = 100 * share;
  return `${fixed(percent, percent === 0 || percent >= 10 ? 0 : 1)} %`;
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
  return seconds < 5 ? texts.time.now : texts.time.ago(timeSpan(seconds));
}

/** @param {number} seconds */
function timeSpan(seconds) {
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} d`;
}

/**
 * When a trace has started: it may be unknown, and a clock may be ahead.
 * @param {number} then in milliseconds since 1970, 0 if it is unknown
 * @param {number} now
 */
export function startedAgo(then, now) {
  if (then <= 0) return texts.span.noStart;
  const ahead = Math.round((then - now) / 1000);
  return ahead < 5 ? timeAgo(then, now) : texts.time.ahead(timeSpan(ahead));
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
  return `${texts.time.date(at)} ${texts.time.clock(at)}`;
}
