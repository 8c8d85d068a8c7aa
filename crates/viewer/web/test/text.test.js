import assert from "node:assert/strict";
import test from "node:test";

import {
  isBlank,
  isolate,
  startsWithinCharacter,
  truncateToFit,
} from "../model/text.js";

test("recognizes text of which nothing is visible", () => {
  for (const [
    text,
    expected,
    reason,
  ] of /** @type {[string, boolean, string][]} */ ([
    ["", true, "empty"],
    [" \u200b", true, "a space, and one without width"],
    ["\u2800", true, "an empty Braille pattern"],
    ["a ", false, "a letter"],
  ])) {
    assert.equal(isBlank(text), expected, reason);
  }
});

test("recognizes text that begins within a character", () => {
  for (const [
    text,
    expected,
    reason,
  ] of /** @type {[string, boolean, string][]} */ ([
    ["\u0301a", true, "a combining accent"],
    ["\u200d\u{1f467}", true, "a joiner"],
    ["a\u0301", false, "the accent has its letter"],
  ])) {
    assert.equal(startsWithinCharacter(text), expected, reason);
  }
});

test("an isolated name can't turn the text around it", () => {
  for (const [name, expected, reason] of [
    ["", "(no name)", "empty"],
    [" \u2800", "(blank)", "invisible"],
    ["\u202egpj.exe", "\u2068gpj.exe\u2069", "an override is removed"],
    ["\u05d0", "\u2068\u05d0\u2069", "a letter from right to left stays"],
  ]) {
    assert.equal(isolate(name), expected, reason);
  }
});

test("a text is cut to what fits, between whole characters", () => {
  const family = "\u{1f469}\u200d\u{1f469}\u200d\u{1f467}";
  for (const [
    text,
    max,
    expected,
    reason,
  ] of /** @type {[string, number, string, string][]} */ ([
    ["abc", 3, "abc", "it fits"],
    ["abcdef", 4, "abc…", "the ellipsis counts"],
    ["abc", 0, "…", "nothing fits"],
    [family.repeat(3), family.length + 1, `${family}…`, "one character"],
  ])) {
    const fits = (/** @type {string} */ part) => part.length <= max;
    assert.equal(truncateToFit(text, fits), expected, reason);
  }
});
