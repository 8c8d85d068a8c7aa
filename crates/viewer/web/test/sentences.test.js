import assert from "node:assert/strict";
import test from "node:test";

import {
  exceptionText,
  failureSentence,
  slowSentence,
} from "../model/sentences.js";
import { tree } from "./spans.js";

/** @param {import('../model/sentences.js').Part[] | null} parts */
function plain(parts) {
  return parts
    ?.map((part) => (typeof part === "string" ? part : part.text))
    .join("");
}

test("says what the response waited for", () => {
  const services = ["shop", "search", "a", "b", "c"];
  const search = {
    service: 1,
    critical: /** @type {[number, number][]} */ ([[0, 60e6]]),
    below: [
      {
        service: 1,
        kind: "CLIENT",
        peer: {
          kind: /** @type {const} */ ("database"),
          system: "redis",
          name: "",
        },
        critical: /** @type {[number, number][]} */ ([[60e6, 71e6]]),
      },
    ],
  };
  const one = (/** @type {number} */ service, /** @type {number} */ ms) => ({
    service,
    critical: /** @type {[number, number][]} */ ([[0, ms * 1e6]]),
  });
  for (const [
    branches,
    total,
    expected,
    reason,
  ] of /** @type {[any[], number, string | undefined, string][]} */ ([
    [[{}], 0, undefined, "no times"],
    [
      [one(0, 100)],
      100e6,
      "shop 100 % (100 ms) of the 100 ms that the response took.",
      "one service",
    ],
    [
      [one(0, 29), search],
      150e6,
      "search 71 % (60.0 ms its own, 11.0 ms waiting for redis), shop 29 % of the 100 ms that the response took; the trace goes on until 150 ms.",
      "waiting, and work after the response",
    ],
    [
      [one(0, 50), one(1, 30), one(2, 10), one(3, 9), one(4, 1)],
      100e6,
      "shop 50 % (50.0 ms), search 30 %, a 10 %, b 9 %, 1 other service the rest of the 100 ms that the response took.",
      "small parts are summed up",
    ],
  ])) {
    const trace = { spans: tree(...branches), services, duration_ns: total };
    assert.equal(plain(slowSentence(trace)), expected, reason);
  }
});

test("says where it failed", () => {
  const services = ["shop"];
  const sentence = (/** @type {any[]} */ ...roots) =>
    failureSentence({ spans: tree(...roots), services });
  assert.equal(sentence({}), null);
  const fatal = sentence({
    error: true,
    below: [{ error: true, name: "pay" }, { error: true }],
  });
  assert.equal(fatal?.lead, "Why it failed");
  assert.equal(plain(fatal?.parts ?? null), "shop op");
  assert.equal(fatal?.others, " 1 other span failed besides.");
  const recovered = sentence({ below: [{ error: true }] });
  assert.equal(recovered?.lead, "What failed on the way");
});

test("an exception is said in one line", () => {
  const attribute = (
    /** @type {string} */ key,
    /** @type {unknown} */ value,
  ) => ({
    key,
    value,
  });
  const event = (/** @type {any[]} */ ...attributes) => ({
    name: "exception",
    offset_ns: 0,
    attributes,
  });
  const type = attribute("exception.type", "Timeout");
  const message = attribute("exception.message", "after 5 s\nat x");
  const status = { code: /** @type {const} */ ("ERROR"), message: "503\nmore" };
  for (const [
    events,
    expected,
    reason,
  ] of /** @type {[any[], string, string][]} */ ([
    [[event(type, message)], "Timeout: after 5 s", "type and message"],
    [[event(message), event(type)], "Timeout", "the last one"],
    [[{ ...event(type), name: "retry" }], "503", "without one the status"],
    [[], "503", "no event"],
  ])) {
    assert.equal(exceptionText({ events, status }), expected, reason);
  }
  assert.equal(
    exceptionText({ events: [], status: { ...status, message: "" } }),
    "",
  );
});
