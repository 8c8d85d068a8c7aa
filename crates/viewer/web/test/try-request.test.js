import assert from "node:assert/strict";
import test from "node:test";

import {
  FAULTS,
  buildRequest,
  curlLine,
  indentJson,
  refusedField,
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
    [
      { telemetry: "span=lost,clock=-2s;p=10" },
      "tail.*.telemetry=span%3Dlost%2Cclock%3D-2s;p=10",
      "the share of telemetry faults is a property",
    ],
    [
      { telemetry: "span=lost;p=10,clock=-2s" },
      "tail.*.telemetry=span%3Dlost%3Bp%3D10%2Cclock%3D-2s",
      "a share of one fault belongs to its value",
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

test("a refusal is said at its field", () => {
  const report = (/** @type {object[]} */ ...hops) =>
    JSON.stringify({ version: 2, hops, spans: [], left_out: [] });
  const fault = "baggage tail.a.b.latency: 'x' is no time";
  for (const [
    status,
    body,
    field,
    reason,
  ] of /** @type {[number, string, string | undefined, string][]} */ ([
    [400, JSON.stringify({ error: fault }), "latency", "a fault"],
    [400, '{"error":"baggage tail.*.errors: no"}', "errors", "of every hop"],
    [400, '{"error":"baggage tail.seed: no"}', "seed", "the seed"],
    [400, "the body ends early", "payload", "anything else"],
    [422, '{"error":"no list"}', "payload", "no list"],
    [404, "", undefined, "without a message"],
    [404, '{"error":"nothing here"}', "path", "another path"],
    [500, '{"error":"simulated error"}', undefined, "a simulated error"],
    [200, "[]", undefined, "no error"],
    [
      400,
      report({ status: 400, outcome: "rejected", error: fault }),
      "latency",
      "a report",
    ],
    [
      502,
      report(
        { status: 502, outcome: "downstream_failed", error: "400" },
        { status: 400, outcome: "rejected", error: fault },
      ),
      "latency",
      "a hop of a report",
    ],
  ])) {
    assert.equal(refusedField(status, body)?.field, field, reason);
  }
  assert.equal(
    refusedField(422, '{"error":"no list"}')?.message,
    "no list",
    "the message is the server's",
  );
});

test("what is offered can be sent", () => {
  for (const [name, values] of Object.entries(FAULTS))
    for (const value of values)
      assert.match(
        buildRequest(form({ [name]: value })).headers.baggage,
        /^[!-~]+$/,
      );
});

test("a request as curl survives a shell", () => {
  assert.equal(
    curlLine(
      buildRequest(form({ payload: `["it's"]`, seed: "7", report: "on" })),
      "http://127.0.0.1:3000",
    ),
    `curl -i -X POST 'http://127.0.0.1:3000/process?report' -H 'content-type: application/json' -H 'baggage: tail.seed=7' -d '["it'\\''s"]'`,
  );
});
