import assert from "node:assert/strict";
import test from "node:test";

import {
  hasPlace,
  listStats,
  logShare,
  place,
  rangeOf,
  regionFilters,
} from "../model/list-stats.js";

/** Milliseconds since 1970. */
const NOW = 10_000;

/** @returns {import("../types.d.ts").TraceSummary} */
function trace(startMs = 0, durationMs = 0, errors = 0) {
  return {
    id: 1,
    changed: 1,
    trace_id: "1",
    service: "shop",
    name: "buy",
    rooted: true,
    start_ns: String(BigInt(startMs) * 1_000_000n),
    duration_ns: durationMs * 1e6,
    spans: 1,
    errors,
    status: "200",
    root_error: false,
    error_service: null,
    more_services: 0,
    pinned: false,
    incomplete: null,
    services: [],
  };
}

test("rate, errors and quantiles of what is shown", () => {
  const traces = [1, 2, 3, 4].map((one) =>
    trace(1000 * one, one, one === 4 ? 2 : 0),
  );
  assert.deepEqual(listStats(traces, NOW), {
    count: 4,
    rate: 4 / 3,
    error_rate: 0.25,
    p50: 2e6,
    p95: 4e6,
  });
  assert.equal(listStats([], NOW), null);
  assert.equal(
    listStats([trace(1, 1)], NOW)?.rate,
    null,
    "a moment has no rate",
  );
});

test("a clock that is days ahead, or a start that is not known, has no place in time", () => {
  const ahead = trace(NOW + 2 * 86_400_000, 1);
  const unknown = trace(0, 1);
  assert.deepEqual(
    [ahead, unknown, trace(NOW, 1)].map((one) => hasPlace(one, NOW)),
    [false, false, true],
  );
  const traces = [ahead, unknown, trace(1000, 1), trace(3000, 1)];
  assert.equal(listStats(traces, NOW)?.rate, 1);
  assert.equal(listStats([ahead], NOW)?.rate, null);
});

test("a region filters by what is in it", () => {
  const traces = [trace(1000, 1), trace(3000, 100)];
  const range = rangeOf(traces);
  assert.ok(range);
  assert.equal(rangeOf([trace(0, 1)]), null, "a start that is not known");
  const [first, last] = traces.map((one) => place(range, one));
  assert.deepEqual([first.x, last.x], [0, 1]);
  assert.ok(first.y > 0 && first.y < last.y && last.y < 1);
  const { from, to, min_duration, max_duration } = regionFilters(
    range,
    { x: 1.1, y: 1 },
    { x: 0.5, y: 0.5 },
  );
  assert.deepEqual([from, to], ["2000", "3201"]);
  assert.ok(Number(min_duration) > 1 && Number(min_duration) < 100);
  assert.equal(max_duration, "130");
});

test("bars are on a scale of logarithms, and never empty", () => {
  const range = { min: 1e6, max: 1e8 };
  for (const [duration, expected] of [
    [0, 4],
    [1e6, 4],
    [1e7, 52],
    [1e8, 100],
  ])
    assert.equal(Math.round(logShare(duration, range)), expected);
  assert.equal(logShare(5, { min: 5, max: 5 }), 100);
});
