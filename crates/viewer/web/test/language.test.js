import assert from "node:assert/strict";
import test from "node:test";

import { chooseLanguage } from "../model/language.js";

test("the choice comes first, then the browser's languages", () => {
  for (const [
    stored,
    wanted,
    expected,
    reason,
  ] of /** @type {[string | null, string[], string, string][]} */ ([
    [null, [], "en", "nothing is known"],
    [null, ["pt-BR", "en"], "pt-BR", "the first one"],
    [null, ["pt"], "pt-BR", "without a country"],
    [null, ["pt-PT"], "pt-BR", "nearer than English"],
    [null, ["fr", "pt-BR", "en"], "pt-BR", "the first that the page has"],
    [null, ["en-GB", "pt-BR"], "en", "any English"],
    [null, ["fr", "pto"], "en", "none that it has"],
    ["pt-BR", ["en"], "pt-BR", "chosen on the page"],
    ["en", ["pt-BR"], "en", "chosen on the page"],
    ["tlh", ["pt-BR"], "pt-BR", "a choice that it no longer has"],
  ])) {
    assert.equal(chooseLanguage(stored, wanted), expected, reason);
  }
});
