import assert from "node:assert/strict";
import test from "node:test";

import { callAddress, parseRoute } from "../model/route.js";

test("reads the view, its segments and its query", () => {
  for (const [
    hash,
    name,
    segments,
    query,
  ] of /** @type {[string, string, string[], string][]} */ ([
    ["", "", [], ""],
    ["#/", "", [], ""],
    ["#/?text=a", "", [], "text=a"],
    ["#/trace/1/2", "trace", ["1", "2"], ""],
    ["#//map/", "map", [], ""],
  ])) {
    const route = parseRoute(hash);
    assert.deepEqual(
      [route.name, route.segments, route.query.toString()],
      [name, segments, query],
      hash,
    );
  }
});

test("the address of a call encodes both services", () => {
  const address = callAddress({ caller: "a&b", callee: "c d" });
  assert.equal(address, "#/?calls=a%26b%3Ec%20d");
  assert.equal(parseRoute(address).query.get("calls"), "a&b>c d");
});
