import assert from "node:assert/strict";
import test from "node:test";

import { hopRows, leftOut, parseReport } from "../model/report.js";

const times = {
  start_unix_nano: "1795382151751725425",
  end_unix_nano: "1795382151751725525",
};

/** @param {object} fields */
function report(fields) {
  const empty = { version: 2, hops: [], spans: [], left_out: [] };
  const parsed = parseReport(JSON.stringify({ ...empty, ...fields }));
  assert.ok(parsed);
  return parsed;
}

/** @param {string} service @param {object} [more] */
function hop(service, more) {
  return { service, status: 200, outcome: "ok", ...times, calls: [], ...more };
}

test("only a report of this version is one", () => {
  for (const [
    text,
    known,
    reason,
  ] of /** @type {[string, boolean, string][]} */ ([
    [
      '{"version":2,"hops":[],"spans":[],"left_out":[]}',
      true,
      "no more than needed",
    ],
    [
      '{"version":3,"hops":[],"spans":[],"left_out":[]}',
      false,
      "a later version",
    ],
    [
      '{"version":2,"hops":{},"spans":[],"left_out":[]}',
      false,
      "hops are no list",
    ],
    ['{"service":"b","calls":[]}', false, "the nested report of before"],
    ['["x"]', false, "a list"],
    ["null", false, "nothing"],
    ["not JSON", false, "text"],
  ])) {
    assert.equal(parseReport(text) !== null, known, reason);
  }
});

test("hops are as deep as the calls that led to them", () => {
  const call = (/** @type {string} */ id) => ({
    url: "http://x/process",
    outcome: "ok",
    tries: [{ span_id: id, status: 200, ...times }],
  });
  const rows = hopRows(
    report({
      hops: [
        hop("a", { span_id: "a", calls: [call("a-b"), call("a-c")] }),
        hop("b", { span_id: "b", calls: [call("b-c")] }),
        hop("c", { span_id: "c1" }),
        hop("c", { span_id: "c2" }),
      ],
      spans: [
        { span_id: "a", kind: "SERVER", parent_span_id: "client" },
        { span_id: "b", kind: "SERVER", parent_span_id: "a-b" },
        { span_id: "c1", kind: "SERVER", parent_span_id: "b-c" },
        { span_id: "c2", kind: "SERVER", parent_span_id: "a-c" },
      ],
    }),
  );
  assert.deepEqual(
    rows.map((row) => [row.service, row.depth, row.duration_ns]),
    [
      ["a", 0, 100],
      ["b", 1, 100],
      ["c", 2, 100],
      ["c", 1, 100],
    ],
  );
});

test("hops and tries say what was done to their spans on purpose", () => {
  const tries = [{ span_id: "a-b", status: 200, ...times }];
  const [row] = hopRows(
    report({
      hops: [
        hop("a", {
          span_id: "a",
          calls: [{ url: "http://b", outcome: "ok", tries }],
        }),
      ],
      spans: [
        { span_id: "a", kind: "SERVER", faults: ["clock=-2s", "span=lost"] },
        { span_id: "a-b", kind: "CLIENT", faults: ["context=drop"] },
      ],
    }),
  );
  assert.equal(row.faults, "clock=-2s, span=lost");
  assert.equal(row.tries[0].faults, "context=drop");
});

test("a hop says what became of it and why", () => {
  const [row] = hopRows(
    report({
      hops: [
        hop("a", {
          status: 503,
          outcome: "simulated_error",
          reason: "baggage",
          error: "simulated error in a",
          latency: { ms: 1.5, reason: "seed" },
        }),
      ],
    }),
  );
  assert.deepEqual(row, {
    service: "a",
    depth: 0,
    status: 503,
    failed: true,
    outcome: "simulated error",
    reason: "baggage",
    error: "simulated error in a",
    latency_ns: 1500000,
    faults: "",
    latency_reason: "seed",
    duration_ns: 100,
    tries: [],
  });
});

test("each try of a call is a row", () => {
  const url = "http://b/process";
  const calls = [
    {
      url,
      outcome: "ok",
      tries: [
        { status: 503, error: "503", ...times },
        { error: "connection_refused", ...times },
        { status: 200, error: "malformed_answer", ...times },
        { status: 200, ...times },
      ],
    },
    { url, outcome: "skipped", tries: [] },
  ];
  const [{ tries }] = hopRows(report({ hops: [hop("a", { calls })] }));
  assert.deepEqual(
    tries.map((one) => [one.number, one.outcome, one.failed]),
    [
      [1, "503", true],
      [2, "connection refused", true],
      [3, "200 · malformed answer", true],
      [4, "200", false],
      [0, "skipped", false],
    ],
  );
});

test("what another program has sent breaks nothing", () => {
  const rows = hopRows(
    report({ hops: [{}, hop("a", { calls: [{ url: 1 }] })] }),
  );
  assert.deepEqual(
    rows.map((row) => [row.service, row.duration_ns, row.tries.length]),
    [
      ["undefined", null, 0],
      ["a", 100, 1],
    ],
  );
});

test("says what is left out", () => {
  const left_out = [
    { below: "1", hop: "http://b/process", reason: "no_report" },
    { hop: "me", reason: "size", spans: 9, hops: 4 },
  ];
  assert.deepEqual(leftOut(report({ left_out })), [
    "http://b/process sent no report: what it did is not listed.",
    "me: 9 spans and 4 hops are not listed, because a report has at most 4 MiB.",
  ]);
});
