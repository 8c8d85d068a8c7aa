import assert from "node:assert/strict";
import test from "node:test";

import {
  beginning,
  excludeAddress,
  filterAddress,
  isLong,
  isPreformatted,
  valueText,
} from "../model/attribute.js";

test("an attribute becomes a filter of the list, exactly", () => {
  for (const [
    attribute,
    expected,
    reason,
  ] of /** @type {[import('../types.d.ts').Attribute, string, string][]} */ ([
    [
      { key: "http.route", value: "/a" },
      "#/?attribute=http.route%3D%2Fa",
      "text",
    ],
    [{ key: "a=b", value: "x & y" }, "#/?attribute=a%3Db%3Dx+%26+y", "signs"],
    [
      { key: "n", value: 9007199254740992, text: "9007199254740993" },
      "#/?attribute=n%3D9007199254740993",
      "64 bits, not as JavaScript rounds them",
    ],
  ])) {
    assert.equal(filterAddress(attribute), expected, reason);
  }
  assert.equal(valueText({ key: "k", value: true }), "true");
});

test("an attribute can be left out of the list", () => {
  const query = (/** @type {string} */ value) => {
    const address = excludeAddress({ key: "http.route", value });
    return new URLSearchParams(address.slice("#/?".length)).get("q");
  };
  assert.equal(query("/a"), '-"http.route"="/a"');
  assert.equal(query('say "a\\b"'), '-"http.route"="say \\"a\\\\b\\""');
});

test("stack traces, queries and what is not text have letters of one width", () => {
  for (const [
    key,
    value,
    expected,
  ] of /** @type {[string, unknown, boolean][]} */ ([
    ["exception.stacktrace", "at x", true],
    ["db.query.text", "SELECT 1", true],
    ["db.statement", "SELECT 1", true],
    ["note", "one\ntwo", true],
    ["note", "one", false],
    ["haystack", "needle", false],
  ])) {
    assert.equal(isPreformatted({ key, value }), expected, `${key}=${value}`);
  }
  assert.ok(isPreformatted({ key: "n", value: 1, text: "1" }));
});

test("long values are folded to their first line", () => {
  assert.equal(isLong("short"), false);
  assert.equal(isLong("x".repeat(301)), true);
  assert.equal(isLong("1\n2\n3\n4\n5"), true);
  assert.equal(beginning("\n  \nError: x\nat y"), "Error: x");
  assert.equal(beginning("x".repeat(90)), `${"x".repeat(80)}…`);
  assert.equal(beginning(""), "");
});
