// The shapes of the map's nodes: each kind has its own.

import { svg } from "./dom.js";

/** @typedef {import('../types.d.ts').GraphNode['kind']} Kind */
/** @typedef {import('../model/graph-boxes.js').Size} Size */

/** How deep the lid of a drum is, and the end of a pipe. */
const DEPTH = 7;
/** How far the sides of what is outside point out. */
const POINT = 13;

/**
 * The outline of a node: a service is a box, a store a drum, a cache a drum with
 * two lids, a queue a pipe lying on its side, and what is outside a hexagon.
 * @param {Kind} kind
 * @param {Size} size
 */
export function outline(kind, { width, height }) {
  if (kind === "service")
    return svg("rect", { class: "outline", width, height, rx: 9 });
  return svg("path", { class: "outline", d: path(kind, width, height) });
}

/** @param {Kind} kind @param {number} width @param {number} height */
function path(kind, width, height) {
  if (kind === "database") return drum(width, height, [DEPTH]);
  if (kind === "cache") return drum(width, height, [DEPTH, DEPTH + 4]);
  if (kind === "queue") return pipe(width, height);
  const middle = height / 2;
  const side = width - POINT;
  return `M${POINT} 0H${side}L${width} ${middle}L${side} ${height}H${POINT}L0 ${middle}z`;
}

/** @param {number} width @param {number} height @param {number[]} lids */
function drum(width, height, lids) {
  const half = width / 2;
  const arc = `a${half} ${DEPTH} 0 0`;
  const body = `M0 ${DEPTH}V${height - DEPTH}${arc} 0 ${width} 0V${DEPTH}${arc} 0 ${-width} 0`;
  return body + lids.map((at) => `M0 ${at}${arc} 0 ${width} 0`).join("");
}

/** @param {number} width @param {number} height */
function pipe(width, height) {
  const [half, side] = [height / 2, width - DEPTH];
  const arc = `a${DEPTH} ${half} 0 0`;
  const body = `M${side} 0H${DEPTH}${arc} 0 0 ${height}H${side}${arc} 0 0 ${-height}`;
  return `${body}M${side} 0${arc} 0 0 ${height}`;
}
