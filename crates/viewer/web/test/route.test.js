import assert from "node:assert/strict";
import test from "node:test";

import { callAddress, nodeAddress, parseRoute } from "../model/route.js";

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

test("the address of a call finds its traces", () => {
  const service = (/** @type {string} */ name) => ({
    service: name,
    attributes: [],
  });
  const named = ["messaging.system=kafka", "messaging.destination.name=a b&c"];
  const queue = { service: null, attributes: named };
  const common = { attributes: named.slice(0, 1) };
  const address = callAddress(common, service("a&b"), service("c d"));
  assert.equal(address, "#/?calls=a%26b%3Ec%20d");
  assert.equal(parseRoute(address).query.get("calls"), "a&b>c d");
  for (const [
    address,
    service_,
    attributes,
    reason,
  ] of /** @type {[string, string | null, string[], string][]} */ ([
    [nodeAddress(service("a&b")), "a&b", [], "a service"],
    [nodeAddress(queue), null, named, "a queue"],
    [
      callAddress({ attributes: named }, service("a"), queue),
      "a",
      named,
      "a message into a queue",
    ],
    [
      callAddress(common, queue, service("b")),
      "b",
      common.attributes,
      "out of a queue, as far as its consumers name it",
    ],
  ])) {
    const { query } = parseRoute(address);
    assert.equal(query.get("service"), service_, reason);
    assert.deepEqual(query.getAll("attribute"), attributes, reason);
  }
});
