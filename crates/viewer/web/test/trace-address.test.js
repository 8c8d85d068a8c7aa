import assert from "node:assert/strict";
import test from "node:test";

import { parseRoute } from "../model/route.js";
import {
  WHOLE,
  readTraceState,
  stateForAnother,
  traceAddress,
} from "../model/trace-address.js";

test("an address says what is seen, and is read as it is written", () => {
  for (const [
    state,
    expected,
  ] of /** @type {[Partial<typeof WHOLE>, string][]} */ ([
    [{}, "#/trace/aa/bb"],
    [{ q: 'name~"a & b"' }, "#/trace/aa/bb?q=name%7E%22a+%26+b%22"],
    [
      { shape: "icicle", critical: true },
      "#/trace/aa/bb?view=icicle&critical=only",
    ],
    [{ window: { from: 0, to: 12.5 } }, "#/trace/aa/bb?from=0&to=12.5"],
  ])) {
    const whole = { ...WHOLE, ...state };
    const address = traceAddress("aa", "bb", whole);
    assert.equal(address, expected);
    assert.deepEqual(readTraceState(parseRoute(address).query), whole);
  }
  assert.equal(traceAddress("aa", null, WHOLE), "#/trace/aa");
});

test("what an address can't mean is left out", () => {
  for (const query of [
    "view=cake",
    "critical=no",
    "from=9&to=3",
    "from=x",
    "to=4x",
  ])
    assert.deepEqual(readTraceState(new URLSearchParams(query)), WHOLE, query);
});

test("another trace keeps query and shape, and no part of this one's time", () => {
  const query = new URLSearchParams("q=a&view=icicle&from=1&to=2");
  assert.deepEqual(stateForAnother(query), {
    ...WHOLE,
    q: "a",
    shape: "icicle",
  });
});
