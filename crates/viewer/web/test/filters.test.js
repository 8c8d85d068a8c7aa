import assert from "node:assert/strict";
import test from "node:test";

import {
  filtersToAddress,
  isFiltered,
  readFilters,
  toQuery,
} from "../model/filters.js";

const NONE = readFilters(new FormData(), "", 0);

/** @param {[string, string][]} fields */
function form(fields) {
  const data = new FormData();
  for (const [name, value] of fields) data.append(name, value);
  return data;
}

test("reads trimmed texts, attributes that are filled in, and a period as its start", () => {
  const fields = form([
    ["text", " buy "],
    ["service", "shop"],
    ["attribute", "a=1"],
    ["attribute", "  "],
    ["attribute", "b= 2"],
    ["min_duration", " 5 "],
    ["since", "15"],
    ["errors", "on"],
  ]);
  assert.deepEqual(readFilters(fields, "a>b", 1_000_000), {
    text: "buy",
    service: "shop",
    attribute: ["a=1", "b= 2"],
    min_duration: "5",
    errors: "true",
    calls: "a>b",
    from: 100_000,
  });
});

test("any filter that is set filters", () => {
  assert.equal(isFiltered(NONE), false);
  for (const set of [
    { text: "a" },
    { attribute: ["a=1"] },
    { errors: "true" },
    { from: 1 },
    { calls: "a>b" },
  ]) {
    assert.equal(isFiltered({ ...NONE, ...set }), true, JSON.stringify(set));
  }
});

test("the address has what is set, but no start", () => {
  for (const [set, expected] of /** @type {[object, string][]} */ ([
    [{}, "#/"],
    [{ from: 5 }, "#/"],
    [
      { text: "a b", attribute: ["x=1", "y=2"] },
      "#/?text=a+b&attribute=x%3D1&attribute=y%3D2",
    ],
    [{ errors: "true", calls: "a>b" }, "#/?errors=true&calls=a%3Eb"],
  ])) {
    assert.equal(filtersToAddress({ ...NONE, ...set }), expected);
  }
});

test("a query leaves out what is empty, and repeats lists", () => {
  for (const [
    parameters,
    expected,
    reason,
  ] of /** @type {[import("../types.d.ts").Parameters, string, string][]} */ ([
    [{ a: "", b: null, c: undefined, d: [] }, "", "empty"],
    [{ limit: 0 }, "limit=0", "zero is a value"],
    [{ attribute: ["a=1", "b=2"] }, "attribute=a%3D1&attribute=b%3D2", "lists"],
  ])) {
    assert.equal(toQuery(parameters).toString(), expected, reason);
  }
});
