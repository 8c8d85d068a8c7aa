import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { COLOURS } from "../model/colour.js";

const STYLE = readFileSync(
  new URL("../style/theme.css", import.meta.url),
  "utf8",
);

/** Each theme's colours by name: light, then dark. */
const THEMES = [0, 1].map(
  (at) =>
    new Map(
      [...STYLE.matchAll(/--([\w-]+): light-dark\(#(\w+), #(\w+)\);/g)].map(
        ([, name, ...colours]) => [name, oklab(colours[at])],
      ),
    ),
);

test("services differ in colour, and from errors, for the eye", () => {
  for (const theme of THEMES) {
    const names = [...Array(COLOURS).keys()].map((number) => `c${number}`);
    for (const [at, name] of names.entries()) {
      assert.ok(
        distance(theme, name, "bad") > 0.13,
        `${name} is near an error`,
      );
      for (const other of names.slice(at + 1))
        assert.ok(distance(theme, name, other) > 0.1, `${name} and ${other}`);
    }
  }
});

/** @param {Map<string, number[]>} theme @param {string} one @param {string} other */
function distance(theme, one, other) {
  const [left, right] = [theme.get(one), theme.get(other)];
  assert.ok(left && right, `${one} and ${other} are colours`);
  return Math.hypot(...left.map((value, at) => value - right[at]));
}

/**
 * A colour in Oklab, where distances are as people see them
 * (https://bottosson.github.io/posts/oklab/).
 * @param {string} colour six digits
 */
function oklab(colour) {
  const [red, green, blue] = [0, 2, 4].map((at) => {
    const value = parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  const [l, m, s] = [
    0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue,
    0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue,
    0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue,
  ].map(Math.cbrt);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}
