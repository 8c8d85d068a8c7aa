import assert from "node:assert/strict";
import test from "node:test";

import { COLOURS, colourClass, pickColour } from "../model/colour.js";

test("a service keeps its colour", () => {
  assert.equal(colourClass("shop"), colourClass("shop"));
});

test("services differ while there are free colours", () => {
  /** @type {Set<number>} */
  const taken = new Set();
  for (let number = 0; number < COLOURS; number++)
    taken.add(pickColour(`service-${number}`, taken));
  assert.equal(taken.size, COLOURS);
  assert.equal(
    pickColour("one more", taken),
    pickColour("one more", new Set()),
    "then they share",
  );
});

test("a taken colour is followed by the next, beyond the last by the first", () => {
  const last = String.fromCodePoint(COLOURS - 1);
  assert.equal(pickColour(last, new Set()), COLOURS - 1);
  assert.equal(pickColour(last, new Set([COLOURS - 1])), 0);
});
