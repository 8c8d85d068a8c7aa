import assert from "node:assert/strict";
import test from "node:test";

import { answerText, compareOutcomes, outcomeOf } from "../model/outcome.js";
import { texts } from "../texts.js";

/** @typedef {import("../model/outcome.js").Ended} Ended */

/** @returns {Ended} */
function ended(
  status = "",
  root = /** @type {boolean | null} */ (false),
  from = "",
) {
  const errors = from === "" ? 0 : 1;
  return { status, root_error: root, error_service: from || null, errors };
}

test("what the root answered, and where the error began", () => {
  const told = (/** @type {Ended} */ one) => {
    const { answer, from, isRootOk } = outcomeOf(one);
    return [answer, from, isRootOk];
  };
  assert.deepEqual(told(ended("200")), ["200", null, false]);
  assert.deepEqual(told(ended("502", true, "fraud")), ["502", "fraud", false]);
  assert.deepEqual(told(ended("200", false, "mail")), ["200", "mail", true]);
  assert.deepEqual(told(ended("", true, "a")), ["error", "a", false]);
  assert.deepEqual(told(ended()), ["ok", null, false]);
  assert.deepEqual(told(ended("", null)), ["", null, false], "without a root");
});

test("errors of the root come last", () => {
  const all = [
    ended("502", true, "fraud"),
    ended("200", false, "mail"),
    ended("200"),
    ended("502", true, "bank"),
  ];
  const sorted = [...all].sort(compareOutcomes);
  assert.deepEqual(sorted, [all[2], all[1], all[3], all[0]]);
});

test("an answer without a status is put in words", () => {
  for (const [outcome, expected] of [
    ["error", texts.span.error],
    ["ok", texts.row.ok],
    ["502", "502"],
    ["", ""],
  ])
    assert.equal(answerText(outcome), expected);
});
