import assert from "node:assert/strict";
import test from "node:test";

import { nextOf } from "../model/search.js";

test("next and previous wrap around", () => {
  const indices = new Set([1, 4]);
  for (const [
    index,
    isBackwards,
    expected,
    reason,
  ] of /** @type {[number, boolean, number, string][]} */ ([
    [-1, false, 1, "nothing is selected"],
    [1, false, 4, "the next"],
    [4, false, 1, "after the last the first"],
    [-1, true, 4, "nothing is selected: the last"],
    [4, true, 1, "the one before"],
    [1, true, 4, "before the first the last"],
  ])) {
    assert.equal(nextOf(indices, index, isBackwards), expected, reason);
  }
  assert.equal(nextOf([], 0), undefined);
  assert.equal(nextOf([], 0, true), undefined);
});
