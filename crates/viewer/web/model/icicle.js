// The icicle: each span a box as wide as it is long, below its parent. Spans that
// overlap in time get lanes of their own, so that no box hides another.

import { percentOf } from "./geometry.js";
import { endOf, parentsOf } from "./subtree.js";

/** @typedef {import('../types.d.ts').SpanRow} SpanRow */
/** @typedef {import('./timeline.js').Window} Window */

/**
 * @typedef {object} Icicle
 * @property {Map<number, number>} laneOf by the span's index
 * @property {number[][]} lanes for each lane, from the top, the indices of its spans by their start
 */

/**
 * @typedef {object} Box one span, or several that are too small to be told apart
 * @property {number[]} indices
 * @property {number} lane
 * @property {number} left in percent
 * @property {number} width in percent
 */

/** A box that is narrower joins its neighbour, in pixels. */
const MIN_WIDTH = 3;
/** More boxes than this at a time are joined further. */
const MAX_BOXES = 2500;

/**
 * Gives each span a lane. The children of a span begin right below it. Those that
 * run at the same time, or whose descendants do, are stacked: the second begins
 * below all descendants of the first.
 * @param {SpanRow[]} spans
 * @param {number[]} shown the indices of the spans that are shown, in reading order
 * @returns {Icicle}
 */
export function icicle(spans, shown) {
  const parents = parentsOf(spans);
  /** @type {Map<number, Branch>} */
  const branches = new Map();
  const top = branch(-1);
  for (const index of shown) {
    const one = branch(index);
    branches.set(index, one);
    one.from = spans[index].offset_ns;
    // A span without a duration still takes a place.
    one.to = Math.max(endOf(spans[index]), one.from + 1);
    (branches.get(parents[index]) ?? top).children.push(one);
  }
  for (const index of shown.toReversed()) {
    const one = /** @type {Branch} */ (branches.get(index));
    stack(one);
    for (const { from, to } of one.children) {
      one.from = Math.min(one.from, from);
      one.to = Math.max(one.to, to);
    }
  }
  stack(top);
  const laneOf = new Map();
  const lanes = Array.from({ length: top.height - 1 }, () => []);
  for (const one of [top, ...branches.values()])
    for (const child of one.children) {
      child.lane += one.lane + 1;
      laneOf.set(child.index, child.lane);
      /** @type {number[]} */ (lanes[child.lane]).push(child.index);
    }
  for (const lane of lanes)
    lane.sort((one, other) => spans[one].offset_ns - spans[other].offset_ns);
  return { laneOf, lanes };
}

/**
 * A span with all below it: how long they take together, and how many lanes.
 * @typedef {{ index: number, from: number, to: number, lane: number, height: number, children: Branch[] }} Branch
 */

/** @param {number} index @returns {Branch} */
function branch(index) {
  return { index, from: 0, to: 0, lane: -1, height: 1, children: [] };
}

// Each child takes the first lane that is free when it begins. A lane is as high
// as the highest child in it.
/** @param {Branch} parent */
function stack(parent) {
  const inOrder = parent.children.toSorted(
    (one, other) => one.from - other.from,
  );
  /** @type {number[]} */
  const ends = [];
  /** @type {number[]} */
  const heights = [];
  // No lane is free before it, which saves a search where all run at once.
  let earliest = Infinity;
  for (const child of inOrder) {
    child.lane = ends.length;
    if (earliest <= child.from) {
      const free = ends.findIndex((end) => end <= child.from);
      if (free >= 0) child.lane = free;
      else earliest = ends.reduce((one, other) => Math.min(one, other));
    }
    ends[child.lane] = child.to;
    earliest = Math.min(earliest, child.to);
    heights[child.lane] = Math.max(heights[child.lane] ?? 0, child.height);
  }
  const tops = [0];
  for (const height of heights) tops.push(tops[tops.length - 1] + height);
  for (const child of parent.children) child.lane = tops[child.lane];
  parent.height = 1 + tops[tops.length - 1];
}

/**
 * The boxes of some lanes. Those that can't be told apart at this width are one;
 * the chosen span always has its own, which comes last.
 * @param {Icicle} layout
 * @param {SpanRow[]} spans
 * @param {object} view
 * @param {{ first: number, end: number }} view.range of lanes, the end excluded
 * @param {Window} view.window
 * @param {number} view.width in pixels
 * @param {number} [view.chosen] the index of a span
 * @returns {Box[]}
 */
export function boxesOf(layout, spans, { range, window, width, chosen }) {
  for (let least = MIN_WIDTH; ; least *= 2) {
    const percent = (100 * least) / Math.max(1, width);
    const boxes = [];
    for (let lane = range.first; lane < range.end; lane++)
      boxes.push(...boxesOfLane(layout.lanes[lane], lane, percent));
    if (boxes.length > MAX_BOXES && percent < 100) continue;
    const own = boxes.findIndex(
      ({ indices }) => indices.length > 1 && indices.includes(chosen ?? -1),
    );
    if (chosen !== undefined && own >= 0)
      boxes.push({ ...boxes[own], ...place(chosen), indices: [chosen] });
    return boxes;
  }

  /** @param {number[]} lane @param {number} number @param {number} least in percent */
  function boxesOfLane(lane, number, least) {
    /** @type {Box[]} */
    const boxes = [];
    for (const index of lane) {
      const span = spans[index];
      if (endOf(span) < window.from || span.offset_ns > window.to) continue;
      const { left, width } = place(index);
      const last = boxes[boxes.length - 1];
      const end = last ? last.left + last.width : -Infinity;
      if (last && width < least && last.width < least && left - end < least / 3)
        join(last, index, left + width);
      else if (last && width < least && left < end - 1e-6)
        join(last, index, end);
      else boxes.push({ indices: [index], lane: number, left, width });
      const box = boxes[boxes.length - 1];
      box.width = Math.max(box.width, least * 0.6);
    }
    return boxes;
  }

  /** @param {number} index */
  function place(index) {
    const span = spans[index];
    const left = percentOf(Math.max(span.offset_ns, window.from), window);
    const right = percentOf(Math.min(endOf(span), window.to), window);
    return { left, width: right - left };
  }
}

/** @param {Box} box @param {number} index @param {number} right in percent */
function join(box, index, right) {
  box.indices.push(index);
  box.width = Math.max(box.width, right - box.left);
}

/**
 * The time that the spans of a box take together, with some room around it.
 * @param {SpanRow[]} spans
 * @param {number[]} indices
 * @returns {Window}
 */
export function windowOf(spans, indices) {
  const from = Math.min(...indices.map((index) => spans[index].offset_ns));
  const to = Math.max(...indices.map((index) => endOf(spans[index])));
  const room = (to - from) * 0.05;
  return { from: from - room, to: to + room };
}
