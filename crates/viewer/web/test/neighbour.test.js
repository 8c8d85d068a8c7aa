import assert from "node:assert/strict";
import test from "node:test";

import { isArrow, neighbour } from "../model/neighbour.js";

const SIZE = { width: 100, height: 40 };
const RECTS = new Map([
  ["entry", { x: 0, y: 100, ...SIZE }],
  ["cart", { x: 300, y: 0, ...SIZE }],
  ["search", { x: 300, y: 110, ...SIZE }],
  ["index", { x: 600, y: 110, ...SIZE }],
]);

test("an arrow leads to the nearest node in its direction", () => {
  for (const [from, key, expected] of [
    ["entry", "ArrowRight", "search"],
    ["search", "ArrowRight", "index"],
    ["index", "ArrowLeft", "search"],
    ["search", "ArrowUp", "cart"],
    ["cart", "ArrowDown", "search"],
    ["index", "ArrowRight", null],
    ["entry", "ArrowUp", null],
    ["gone", "ArrowUp", null],
  ])
    assert.equal(
      neighbour(RECTS, String(from), String(key)),
      expected,
      `${from} ${key}`,
    );
});

test("other keys are no arrows", () => {
  assert.equal(isArrow("ArrowUp"), true);
  assert.equal(isArrow("Enter"), false);
});
