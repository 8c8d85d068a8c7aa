import assert from "node:assert/strict";
import test from "node:test";

import {
  IN_TRACE,
  OVER_TIME,
  errorGrade,
  failures,
  lineWidth,
} from "../model/graph-figures.js";
import { edge } from "./graphs.js";

const CALL = edge("a", "b", {
  count: 2000,
  rate: 12,
  errors: 30,
  error_rate: 0.015,
  p95_ns: 3e6,
  p99_ns: 5e6,
});

test("many traces have rates, one has numbers", () => {
  const once = edge("a", "b", { count: 1, p99_ns: 5e6 });
  for (const [actual, expected] of [
    [OVER_TIME.volume(CALL), "12/s"],
    [OVER_TIME.time(CALL), "p95 3.00 ms"],
    [IN_TRACE.volume(CALL), "2,000×"],
    [IN_TRACE.time(CALL), "up to 5.00 ms"],
    [IN_TRACE.time(once), "5.00 ms"],
    [failures(CALL), "✕ 1.5 %"],
    [failures(once), ""],
  ])
    assert.equal(actual, expected);
});

test("a line is a step wider for each tenfold", () => {
  const widths = [0, 1, 10, 100, 1e9].map((count) => lineWidth({ count }));
  assert.deepEqual(widths, [1.5, 1.5, 3, 4.5, 9]);
});

test("errors are graded by their share", () => {
  for (const [errors, share, expected] of [
    [0, 0, 0],
    [1, 0.001, 1],
    [1, 0.01, 2],
    [1, 0.05, 3],
    [1, 0.24, 3],
    [1, 0.25, 4],
    [1, 1, 4],
  ])
    assert.equal(errorGrade({ errors, error_rate: share }), expected);
});
