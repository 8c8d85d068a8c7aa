import assert from "node:assert/strict";
import test from "node:test";

import {
  buildRequest,
  indentJson,
  responseTraceId,
} from "../model/try-request.js";

/** @param {Record<string, string>} fields */
function form(fields) {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) data.append(name, value);
  return data;
}

test("faults and the seed travel as baggage", () => {
  for (const [
    fields,
    expected,
    reason,
  ] of /** @type {[Record<string, string>, string | undefined, string][]} */ ([
    [{}, undefined, "nothing is set"],
    [{ service: "payments" }, undefined, "a service alone is no fault"],
    [{ errors: " 100 " }, "tail.*.errors=100", "every hop"],
    [
      { service: "payments", errors: "503:100", latency: "200ms" },
      "tail.payments.errors=503%3A100,tail.payments.latency=200ms",
      "one hop",
    ],
    [{ seed: "7" }, "tail.seed=7", "a seed"],
    [
      { service: "no key", seed: "7" },
      "tail.seed=7",
      "a service that is not used is not checked",
    ],
  ])) {
    assert.equal(buildRequest(form(fields)).headers.baggage, expected, reason);
  }
});

test("refuses a service that is no baggage key", () => {
  for (const service of ["two words", "a=b", "a,b", "caf\u00e9"]) {
    assert.throws(
      () => buildRequest(form({ service, errors: "1" })),
      /can't be named in baggage/,
      service,
    );
  }
});

test("the payload is the body, and the report is asked for in the path", () => {
  assert.deepEqual(buildRequest(form({ payload: "[]" })), {
    path: "/process",
    headers: { "content-type": "application/json" },
    body: "[]",
  });
  assert.equal(buildRequest(form({ report: "on" })).path, "/process?report");
  assert.equal(
    buildRequest(form({ path: "/chain/process", report: "on" })).path,
    "/chain/process?report",
  );
  for (const path of ["process", "//evil.example/process", "/a?b", "/a b"])
    assert.throws(() => buildRequest(form({ path })), /is no path/, path);
});

test("reads the trace id of a response", () => {
  assert.equal(
    responseTraceId("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    "0af7651916cd43dd8448eb211c80319c",
  );
  assert.equal(responseTraceId(null), undefined);
});

test("indents JSON, and leaves other text alone", () => {
  assert.equal(indentJson("[1]"), "[\n  1\n]");
  assert.equal(indentJson("not JSON"), "not JSON");
});
