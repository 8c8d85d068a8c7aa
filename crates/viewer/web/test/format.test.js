import assert from "node:assert/strict";
import test from "node:test";

import {
  startedAgo,
  bytes,
  count,
  duration,
  errorPercentage,
  rate,
  shortTimestamp,
  timeAgo,
  timestamp,
  toMillis,
} from "../model/format.js";

test("durations take the unit that fits", () => {
  for (const [
    ns,
    expected,
    reason,
  ] of /** @type {[number, string, string][]} */ ([
    [0, "0", "nothing has no unit"],
    [999, "999 ns", "whole nanoseconds"],
    [1000, "1.00 µs", "three digits"],
    [12_340, "12.3 µs", "three digits"],
    [999_400, "999 µs", "three digits"],
    [202_962_659, "203 ms", "rounded"],
    [59_900_000_000, "59.9 s", "seconds up to a minute"],
    [60_000_000_000, "1 min 0 s", "a minute"],
    [119_600_000_000, "2 min 0 s", "60 seconds are carried over"],
    [-1_000_000, "−1.00 ms", "clocks can go backwards"],
  ])) {
    assert.equal(duration(ns), expected, reason);
  }
});

test("counts agree with their noun", () => {
  for (const [number, expected] of /** @type {[number, string][]} */ ([
    [0, "0 spans"],
    [1, "1 span"],
    [5000, "5,000 spans"],
  ])) {
    assert.equal(count(number, "span"), expected);
  }
});

test("bytes take the unit that fits", () => {
  for (const [number, expected] of /** @type {[number, string][]} */ ([
    [1023, "1023 B"],
    [1024, "1 KiB"],
    [1_572_864, "1.5 MiB"],
  ])) {
    assert.equal(bytes(number), expected);
  }
});

test("rates are by the second, rare ones by the minute", () => {
  for (const [number, expected] of /** @type {[number, string][]} */ ([
    [12.4, "12/s"],
    [9.96, "10.0/s"],
    [0.095, "0.1/s"],
    [0.05, "3.0/min"],
  ])) {
    assert.equal(rate({ rate: number }), expected);
  }
});

test("shares of errors have a decimal only below ten percent", () => {
  for (const [share, expected] of /** @type {[number, string][]} */ ([
    [0, "0 %"],
    [0.004, "0.4 %"],
    [0.125, "13 %"],
    [1, "100 %"],
  ])) {
    assert.equal(errorPercentage({ error_rate: share }), expected);
  }
});

test("nanoseconds since 1970 become milliseconds without rounding up", () => {
  assert.equal(toMillis("1795386253194999999"), 1795386253194);
});

test("ages are rounded down to the unit, and never negative", () => {
  for (const [
    seconds,
    expected,
    reason,
  ] of /** @type {[number, string, string][]} */ ([
    [-10, "now", "another clock is ahead"],
    [4, "now", "just arrived"],
    [59, "59 s ago", "seconds"],
    [119, "1 min ago", "minutes"],
    [7199, "1 h ago", "hours"],
    [172_800, "2 d ago", "days"],
  ])) {
    assert.equal(timeAgo(0, seconds * 1000), expected, reason);
  }
});

test("timestamps are in local time, and short ones name another day", () => {
  const noon = new Date(2026, 0, 2, 12, 5, 7, 9).getTime();
  const nextDay = noon + 86_400_000;
  assert.equal(timestamp(noon), "2026-01-02 12:05:07.009");
  assert.equal(shortTimestamp(noon, noon), "12:05");
  assert.equal(shortTimestamp(noon, nextDay), "2026-01-02 12:05");
});

test("a start may be unknown, and a clock ahead", () => {
  for (const [then, expected] of /** @type {[number, string][]} */ ([
    [0, "no start"],
    [1e9 - 90_000, "1 min ago"],
    [1e9 + 4000, "now"],
    [1e9 + 60_000, "in 1 min"],
    [1e9 + 2 * 86_400_000, "in 2 d"],
  ]))
    assert.equal(startedAgo(then, 1e9), expected);
});
