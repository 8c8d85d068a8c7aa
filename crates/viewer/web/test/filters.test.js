import assert from "node:assert/strict";
import test from "node:test";

import {
  chips,
  filtersToQuery,
  fromLocalTime,
  isFiltered,
  readFilters,
  toLocalTime,
  toParameters,
  toQuery,
  withoutChip,
} from "../model/filters.js";

const NONE = readFilters(new URLSearchParams());

test("an address and its filters are the same, whichever is first", () => {
  for (const query of [
    "",
    "q=service%3Dshop+-env%3Dtest&since=15",
    "from=5&to=9&min_duration=1.5&max_duration=3",
    "text=a+b&errors=true&service=shop&attribute=x%3D1&attribute=y%3D2&calls=a%3Eb",
  ]) {
    const filters = readFilters(new URLSearchParams(query));
    assert.equal(filtersToQuery(filters), query);
    assert.equal(isFiltered(filters), query !== "", query);
  }
});

test("a period becomes its start when it is asked for", () => {
  assert.equal(toParameters({ ...NONE, since: "15" }, 1_000_000).from, 100_000);
  assert.equal(toParameters({ ...NONE, from: "7" }, 1_000_000).from, "7");
});

test("what a link has set is a chip, and can be removed", () => {
  const query =
    "q=a&calls=a%3Eb&attribute=x%3D1&attribute=y%3D2&min_duration=5";
  const filters = readFilters(new URLSearchParams(query));
  assert.deepEqual(
    chips(filters).map((chip) => chip.label),
    ["x=1", "y=2", "call a>b", "≥ 5 ms"],
  );
  const rest = withoutChip(filters, { name: "attribute", value: "x=1" });
  assert.deepEqual(rest.attribute, ["y=2"]);
  const less = withoutChip(filters, { name: "min_duration", value: "5" });
  assert.equal(less.min_duration, "");
});

test("a local time is read as it is shown", () => {
  for (const time of ["0", "1790000000000"])
    assert.equal(fromLocalTime(toLocalTime(time)), time);
  assert.equal(toLocalTime(""), "");
  assert.equal(toLocalTime("x"), "");
  assert.equal(fromLocalTime(""), "");
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
