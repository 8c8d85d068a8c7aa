import assert from "node:assert/strict";
import test from "node:test";

import {
  COLOURS,
  colourClass,
  distinctColours,
  parseColours,
  pickColour,
} from "../model/colour.js";

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

test("within a trace colours differ, whatever is shared", () => {
  const shared = (/** @type {string} */ service) =>
    service.startsWith("x") ? 3 : 5;
  const colours = distinctColours(["x2", "y", "x1"], shared);
  assert.equal(colours.get("x1"), 3, "the first by name keeps its colour");
  assert.equal(colours.get("y"), 5, "and whoever shares with nobody");
  assert.equal(new Set(colours.values()).size, 3, "the other gets a free one");
  const many = Array.from({ length: 30 }, (_, number) => `x${number}`);
  const used = distinctColours(many, shared);
  assert.equal(used.size, 30);
  assert.equal(new Set(used.values()).size, COLOURS, "all are used");
});

test("stored colours are read with care", () => {
  for (const [
    text,
    expected,
    reason,
  ] of /** @type {[string | null, [string, number][] | null, string][]} */ ([
    [null, null, "nothing"],
    ["{", null, "not JSON"],
    ['{"a":1}', null, "another form"],
    ['[["a",1],["b",99],[3,1],"c",["d",1.5]]', [["a", 1]], "wrong pairs"],
  ])) {
    const found = parseColours(text);
    assert.deepEqual(found && [...found], expected, reason);
  }
});
