import assert from "node:assert/strict";
import test from "node:test";

import {
  fitWindow,
  isWhole,
  moveWindow,
  rulerTicks,
  wholeTrace,
  windowAround,
  zoomWindow,
} from "../model/timeline.js";

/** @param {number} from @param {number} to */
const between = (from, to) => ({ from, to });

test("a window stays within the trace", () => {
  for (const [
    window,
    total,
    expected,
    reason,
  ] of /** @type {[import('../model/timeline.js').Window, number, object, string][]} */ ([
    [between(20, 60), 100, between(20, 60), "it is"],
    [between(-20, 60), 100, between(0, 80), "too early"],
    [between(80, 160), 100, between(20, 100), "too late"],
    [between(-50, 200), 100, between(0, 100), "too long"],
    [between(50, 51), 100, between(45.5, 55.5), "too short"],
    [between(0, 1), 4, between(0, 4), "in a very short trace"],
    [between(0, 0), 0, between(0, 0), "in a trace without times"],
  ])) {
    assert.deepEqual(fitWindow(window, total), expected, reason);
  }
});

test("zooming keeps the time under the pointer", () => {
  const all = wholeTrace(1000);
  assert.deepEqual(zoomWindow(all, 0.5, 250, 1000), between(125, 625));
  assert.deepEqual(zoomWindow(between(125, 625), 2, 250, 1000), all);
  assert.deepEqual(zoomWindow(all, 0.5, 1000, 1000), between(500, 1000));
  let window = all;
  for (let times = 0; times < 100; times++)
    window = zoomWindow(window, 0.5, 777, 1000);
  assert.equal(window.to - window.from, 10, "down to nanoseconds");
  for (let times = 0; times < 100; times++)
    window = zoomWindow(window, 2, 777, 1000);
  assert.ok(isWhole(window, 1000), "and all the way back");
});

test("moving stops at the ends", () => {
  assert.deepEqual(moveWindow(between(0, 100), 0.5, 1000), between(50, 150));
  assert.deepEqual(moveWindow(between(0, 100), -0.5, 1000), between(0, 100));
  assert.deepEqual(moveWindow(between(850, 950), 1, 1000), between(900, 1000));
});

test("a span is shown with some room", () => {
  const span = { offset_ns: 500, duration_ns: 100 };
  assert.deepEqual(windowAround(span, 1000), between(490, 610));
});

test("the ruler has round times that do not collide", () => {
  const texts = (
    /** @type {number} */ from,
    /** @type {number} */ to,
    /** @type {number} */ width,
  ) => rulerTicks(between(from, to), width).map(({ text }) => text);
  for (const [
    from,
    to,
    width,
    expected,
    reason,
  ] of /** @type {[number, number, number, string[], string][]} */ ([
    [
      0,
      520e6,
      840,
      [
        "0",
        "50 ms",
        "100 ms",
        "150 ms",
        "200 ms",
        "250 ms",
        "300 ms",
        "350 ms",
        "400 ms",
        "450 ms",
        "500 ms",
      ],
      "a trace",
    ],
    [0, 520e6, 160, ["0", "200 ms", "400 ms"], "on a phone"],
    [
      1234567890,
      1234567900,
      400,
      ["1.234567890 s", "1.234567895 s", "1.234567900 s"],
      "nanoseconds",
    ],
    [0, 3, 400, ["0", "1 ns", "2 ns", "3 ns"], "a trace of nanoseconds"],
    [0, 0, 400, ["0"], "no time"],
  ])) {
    assert.deepEqual(texts(from, to, width), expected, reason);
  }
  for (let length = 1; length < 1e13; length *= 7)
    for (const start of [0, 1e3, 1e12])
      for (const width of [60, 150, 900, 3000]) {
        const ticks = rulerTicks(between(start, start + length), width);
        assert.ok(ticks.length < 60, "not too many");
        for (const [at, tick] of ticks.slice(1).entries()) {
          const room = ((tick.percent - ticks[at].percent) * width) / 100;
          assert.ok(room >= ticks[at].text.length * 7 || ticks.length <= 2);
        }
      }
});

test("the last label is left out where it has no room", () => {
  const texts = (/** @type {number} */ room) =>
    rulerTicks({ from: 0, to: 1e6 }, 500, room).map(({ text }) => text);
  const last = (/** @type {string[]} */ all) => all[all.length - 1];
  assert.equal(last(texts(76)), "1.0 ms");
  assert.equal(last(texts(14)), "", "its mark stays");
  assert.equal(texts(14).length, texts(76).length);
});
