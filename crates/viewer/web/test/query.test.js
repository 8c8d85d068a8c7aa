import assert from "node:assert/strict";
import test from "node:test";

import {
  complete,
  hasTerm,
  queryError,
  quote,
  quoteKey,
  suggest,
  toggleTerm,
  tokens,
} from "../model/query.js";

/** @type {import("../types.d.ts").Facets} */
const FACETS = {
  traces: 9,
  more: false,
  keys: [
    {
      key: "service",
      field: true,
      values: [
        ["shop", 7],
        ["stock", 2],
      ],
      more: false,
    },
    { key: "name", field: true, values: [["POST /buy", 7]], more: false },
    { key: "kind", field: true, values: [["SERVER", 9]], more: false },
    { key: "status", field: true, values: [["ok", 9]], more: false },
    { key: "http.route", field: false, values: [["/buy", 7]], more: false },
    { key: "name", field: false, values: [["other", 1]], more: false },
  ],
};

test("a query is read as the server reads it", () => {
  const parts = tokens(
    'service=fraud -"my key">=5 name~"PO ST" word a="x\\"y"',
  );
  assert.deepEqual(
    parts.map(({ negated, key, operator, value }) => [
      negated,
      key,
      operator,
      value,
    ]),
    [
      [false, "service", "=", "fraud"],
      [true, '"my key"', ">=", "5"],
      [false, "name", "~", "PO ST"],
      [false, "word", "", ""],
      [false, "a", "=", 'x"y'],
    ],
  );
});

test("keys are suggested, then values with their counts", () => {
  for (const [
    query,
    expected,
    reason,
  ] of /** @type {[string, string[], string][]} */ ([
    ["ser", ["service="], "a field"],
    ["route", ["http.route="], "a part of an attribute"],
    ["-ser", ["-service="], "negated"],
    ["service=", ["service=shop ", "service=stock "], "all values"],
    ["service!=st", ["service!=stock "], "those that fit"],
    ["name=", ['name="POST /buy" '], "a value with a space is quoted"],
    ['"name"=', ['"name"=other '], "an attribute called like a field"],
    ["dur", ["duration>"], "a duration"],
    ["colour=", [], "an unknown key"],
  ])) {
    const found = suggest(FACETS, query, query.length);
    assert.deepEqual(
      found.map((one) => one.text),
      expected,
      reason,
    );
  }
  assert.equal(suggest(FACETS, "service=", 8)[0].count, 7);
});

test("a suggestion replaces what is being typed", () => {
  assert.deepEqual(complete("a=1 ser b=2", 7, "service="), [
    "a=1 service= b=2",
    12,
  ]);
  assert.deepEqual(complete("", 0, "service="), ["service=", 8]);
});

test("a term is added once, and removed", () => {
  assert.equal(toggleTerm("a=1", 'name="x y"'), 'a=1 name="x y"');
  assert.equal(toggleTerm('a=1 name="x y"', 'name="x y"'), "a=1");
  assert.equal(hasTerm('a=1 name="x y"', 'name="x y"'), true);
  assert.equal(hasTerm("a=1", "a=2"), false);
});

test("what the language reads otherwise is quoted", () => {
  assert.equal(quote("a=b"), "a=b");
  assert.equal(quote(""), '""');
  assert.equal(quote('a "b"'), '"a \\"b\\""');
  assert.equal(quoteKey("http.route", false), "http.route");
  assert.equal(quoteKey("name", false), '"name"');
  assert.equal(quoteKey("name", true), "name");
  assert.equal(quoteKey("a b", false), '"a b"');
});

test("an error has its place", () => {
  assert.deepEqual(queryError("q: character 8: a value follows"), {
    position: 8,
    reason: "a value follows",
  });
  assert.equal(queryError("limit: 'x' is not a whole number"), null);
});
