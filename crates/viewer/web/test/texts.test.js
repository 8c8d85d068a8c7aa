import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import test from "node:test";

import { en } from "../texts/en.js";
import { ptBR } from "../texts/pt-BR.js";

const WEB = new URL("../", import.meta.url);
const HTML = readFileSync(new URL("index.html", WEB), "utf8");
const SCRIPTS = ["", "view/", "model/"].flatMap((folder) =>
  readdirSync(new URL(folder, WEB))
    .filter((name) => name.endsWith(".js"))
    .map((name) => readFileSync(new URL(folder + name, WEB), "utf8")),
);

/** The texts of a language by their keys. @param {object} texts @returns {[string, any][]} */
function entries(texts, path = "") {
  return Object.entries(texts).flatMap(([name, value]) => {
    const key = path + name;
    const isGroup = typeof value === "object" && !Array.isArray(value);
    return isGroup ? entries(value, `${key}.`) : [[key, value]];
  });
}

/** What a text says with these arguments. @param {any} text @param {any[]} values */
function said(text, ...values) {
  return typeof text === "function" ? text(...values) : text;
}

test("the languages have the same texts", () => {
  const [english, portuguese] = [en, ptBR].map((texts) =>
    entries(texts).map(([key, value]) => {
      const size = typeof value === "string" ? "text" : value.length;
      return [key, size];
    }),
  );
  assert.deepEqual(portuguese, english);
});

test("a text says all that it is given, in each language", () => {
  for (const texts of [en, ptBR])
    for (const [key, text] of entries(texts)) {
      // They take a number, a noun, a date or a choice.
      if (/^(count|time\.(date|clock)|list\.sorted)$/.test(key)) continue;
      if (typeof text !== "function") continue;
      const values = [71, 82, 93].slice(0, text.length);
      const sentence = said(text, ...values.map(String));
      for (const value of values)
        assert.ok(sentence.includes(value), `${key}: ${sentence}`);
    }
});

test("every text is used, and every name is a text", () => {
  const source = SCRIPTS.join("\n")
    .replaceAll("/texts.js", "")
    .replace(/\s+\./g, ".");
  const used = new Set(
    [...source.matchAll(/\btexts((?:\.\w+)+)/g)].map(([, path]) =>
      path.slice(1),
    ),
  );
  for (const [, key] of HTML.matchAll(/data-(?:text|label|title)="([^"]+)"/g))
    used.add(key);
  // A group may be read by keys that are data.
  const groups = [...source.matchAll(/\btexts\.(\w+)\[/g)].map(
    ([, name]) => `${name}.`,
  );
  const isUsed = (/** @type {string} */ key) =>
    used.has(key) ||
    [...used].some((one) => one.startsWith(`${key}.`)) ||
    groups.some((group) => key.startsWith(group)) ||
    [...used].some((one) => key.startsWith(`${one}.`) && one.includes("."));
  const unused = entries(en).map(([key]) => key);
  assert.deepEqual(
    unused.filter((key) => key !== "count" && !isUsed(key)),
    [],
  );
  const known = entries(en).map(([key]) => key);
  for (const key of used)
    assert.ok(
      known.some(
        (one) =>
          one === key || one.startsWith(`${key}.`) || key.startsWith(`${one}.`),
      ),
      `${key} is no text`,
    );
});

test("index.html says in English what the texts do", () => {
  const texts = new Map(entries(en));
  let found = 0;
  for (const [, key, text] of HTML.matchAll(
    /data-text="([^"]+)"[^>]*>([^<]*)</g,
  )) {
    assert.equal(text.trim(), texts.get(key), key);
    found++;
  }
  for (const [, attribute, key] of HTML.matchAll(
    /data-(label|title)="([^"]+)"/g,
  )) {
    const name = attribute === "label" ? "aria-label" : "title";
    assert.ok(HTML.includes(`${name}="${texts.get(key)}"`), key);
    found++;
  }
  assert.ok(found >= 18, `${found} texts`);
});

test("numbers agree with their nouns", () => {
  for (const [texts, number, noun, expected] of /** @type {const} */ ([
    [en, 0, "span", "0 spans"],
    [en, 1, "span", "1 span"],
    [en, 5000, "span", "5,000 spans"],
    [ptBR, 1, "error", "1 erro"],
    [ptBR, 2, "export", "2 exportações"],
    [ptBR, 5000, "other service", "5.000 outros serviços"],
    [ptBR, 2_000_000, "trace", "2.000.000 traces"],
  ]))
    assert.equal(texts.count(number, noun), expected);
  for (const [actual, expected] of [
    [en.list.fresh(1200), "+1,200 new"],
    [ptBR.list.fresh(1), "+1 novo"],
    [ptBR.list.fresh(1200), "+1.200 novos"],
    [ptBR.trace.found(1), "1 encontrado"],
    [ptBR.trace.found(0), "nenhum encontrado"],
    [ptBR.trace.found(2), "2 encontrados"],
  ])
    assert.equal(actual, expected);
});

test("dates are written as the language writes them", () => {
  const at = new Date(2026, 0, 2, 15, 5, 7, 9);
  for (const [texts, expected] of /** @type {const} */ ([
    [en, "2026-01-02 15:05:07.009"],
    [ptBR, "02/01/2026 15:05:07,009"],
  ]))
    assert.equal(`${texts.time.date(at)} ${texts.time.clock(at)}`, expected);
});

test("what is alike in both languages is meant to be", () => {
  const english = new Map(entries(en));
  const alike = entries(ptBR).filter(
    ([key, text]) => typeof text === "string" && text === english.get(key),
  );
  assert.deepEqual(alike.map(([, text]) => text).sort(), [
    "Icicle",
    "Kind",
    "Links",
    "Links",
    "RPC",
    "Resource",
    "Scope",
    "Span",
    "Spans",
    "Spans",
    "Spans",
    "Status",
    "Timeline",
    "Total",
    "Trace",
    "Trace state",
    "Traces",
    "Zoom",
    "cache",
    "links",
    "ok",
    "schema",
    "← Traces",
  ]);
});
