// The part of a trace's time that is in sight, and the marks of its ruler.

import { fixed } from "./format.js";

/**
 * From and to, in nanoseconds from the start of the trace.
 * @typedef {{ from: number, to: number }} Window
 */

/** The shortest time that is shown. */
const MIN_NS = 10;

/** All of a trace. @param {number} total @returns {Window} */
export function wholeTrace(total) {
  return { from: 0, to: total };
}

/** Whether all of a trace is in sight. @param {Window} window @param {number} total */
export function isWhole({ from, to }, total) {
  return from <= 0 && to >= total;
}

/**
 * A window that is neither too short nor out of the trace.
 * @param {Window} window
 * @param {number} total
 * @returns {Window}
 */
export function fitWindow({ from, to }, total) {
  const length = Math.min(total, Math.max(MIN_NS, to - from));
  const middle = (from + to) / 2;
  const start = to - from < MIN_NS ? middle - length / 2 : from;
  const fitted = Math.max(0, Math.min(total - length, start));
  return { from: fitted, to: fitted + length };
}

/**
 * Zooms by a factor, below 1 to see less; the time at `at` stays where it is.
 * @param {Window} window
 * @param {number} factor
 * @param {number} at
 * @param {number} total
 */
export function zoomWindow({ from, to }, factor, at, total) {
  const length = Math.min(total, Math.max(MIN_NS, (to - from) * factor));
  const share = to > from ? (at - from) / (to - from) : 0.5;
  const start = at - share * length;
  return fitWindow({ from: start, to: start + length }, total);
}

/**
 * Moves by a share of its length.
 * @param {Window} window
 * @param {number} share
 * @param {number} total
 */
export function moveWindow({ from, to }, share, total) {
  const by = share * (to - from);
  return fitWindow({ from: from + by, to: to + by }, total);
}

/**
 * A span with some room around it.
 * @param {{ offset_ns: number, duration_ns: number }} span
 * @param {number} total
 */
export function windowAround(
  { offset_ns: offset, duration_ns: duration },
  total,
) {
  const room = duration * 0.1;
  return fitWindow(
    { from: offset - room, to: offset + duration + room },
    total,
  );
}

/** The width of a digit and of what separates two labels, in pixels. */
const DIGIT = 7;
const GAP = 14;

/**
 * The marks of the ruler at round times, as many as there is room for.
 * @param {Window} window
 * @param {number} width in pixels
 * @param {number} [room] that the last label has beyond the width, in pixels
 * @returns {{ ns: number, percent: number, text: string }[]}
 */
export function rulerTicks({ from, to }, width, room = Infinity) {
  const length = to - from;
  if (length <= 0) return [{ ns: from, percent: 0, text: "0" }];
  let step = niceStep(length / 20);
  while (
    (step / length) * width < tickText(to, to, step).length * DIGIT + GAP &&
    step < length
  )
    step = niceStep(step * 1.5);
  const ticks = [];
  for (let at = Math.ceil(from / step); at * step <= to; at++) {
    const ns = at * step;
    const percent = (100 * (ns - from)) / length;
    const text = tickText(ns, to, step);
    const left = width + room - (percent * width) / 100;
    const fits = text.length * DIGIT + GAP / 2 <= left;
    ticks.push({ ns, percent, text: fits ? text : "" });
  }
  return ticks;
}

/** The next of 1, 2, 5, 10, … that is not smaller. @param {number} least */
function niceStep(least) {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, least)) + 1e-9);
  const found = [1, 2, 5, 10].find((one) => one * power >= least * 0.999999);
  return Math.max(1, (found ?? 10) * power);
}

/** @type {[number, string][]} */
const UNITS = [
  [1e9, "s"],
  [1e6, "ms"],
  [1e3, "µs"],
  [1, "ns"],
];

/**
 * A time with the digits that a step needs, in the unit that fits the longest.
 * @param {number} ns
 * @param {number} longest
 * @param {number} step
 */
function tickText(ns, longest, step) {
  if (ns === 0) return "0";
  const [unit, name] = UNITS.find(([one]) => longest >= one) ?? UNITS[3];
  const digits = Math.max(0, Math.ceil(Math.log10(unit / step) - 1e-9));
  return `${fixed(ns / unit, digits)} ${name}`;
}
