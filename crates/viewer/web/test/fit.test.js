import assert from "node:assert/strict";
import test from "node:test";

import { fitting } from "../model/fit.js";

test("as many fit as leave room for the count of the others", () => {
  const spaces = { gap: 4, rest: 30 };
  for (const [
    widths,
    room,
    expected,
    reason,
  ] of /** @type {[number[], number, number, string][]} */ ([
    [[], 100, 0, "none"],
    [[50, 50], 104, 2, "all, to the pixel"],
    [[50, 50], 103, 1, "one, and the count"],
    [[50, 50], 83, 0, "no room for one and the count"],
    [[50, Infinity], 500, 1, "there are others that are not known"],
    [[120], 100, 0, "the first is too wide"],
  ]))
    assert.equal(fitting(widths, room, spaces), expected, reason);
});
