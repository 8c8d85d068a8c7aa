import assert from "node:assert/strict";
import test from "node:test";

import {
  READABLE,
  firstSight,
  fitAll,
  moveBy,
  reveal,
  zoomBy,
} from "../model/viewport.js";

const VIEW = { width: 800, height: 400 };

test("a picture is fitted in the middle, and never larger than it is", () => {
  assert.deepEqual(fitAll({ width: 400, height: 200 }, VIEW), {
    x: 200,
    y: 100,
    scale: 1,
  });
  assert.deepEqual(fitAll({ width: 1600, height: 400 }, VIEW), {
    x: 0,
    y: 100,
    scale: 0.5,
  });
});

test("what would be too small begins where requests enter", () => {
  const wide = { width: 4000, height: 400 };
  assert.deepEqual(firstSight(wide, VIEW, { x: 50, y: 100 }, false), {
    x: 0,
    y: (400 - 400 * READABLE) / 2,
    scale: READABLE,
  });
  const large = { width: 4000, height: 4000 };
  const start = { x: 2000, y: 20 };
  assert.deepEqual(firstSight(large, VIEW, start, true), {
    x: 400 - 2000 * READABLE,
    y: 0,
    scale: READABLE,
  });
  assert.equal(
    firstSight({ width: 900, height: 300 }, VIEW, start, false).scale,
    800 / 900,
  );
});

test("what is pointed at stays while zooming", () => {
  const viewport = { x: 10, y: 20, scale: 1 };
  const at = { x: 110, y: 220 };
  assert.deepEqual(zoomBy(viewport, 2, at), { x: -90, y: -180, scale: 2 });
  assert.equal(zoomBy(viewport, 100, at).scale, 3);
  assert.equal(zoomBy(viewport, 1e-6, at).scale, 0.1);
});

test("a picture can't be moved out of sight", () => {
  const viewport = { x: 0, y: 0, scale: 1 };
  const picture = { width: 1000, height: 300 };
  const moved = (/** @type {number} */ x, /** @type {number} */ y) =>
    moveBy(viewport, { x, y }, picture, VIEW);
  assert.deepEqual(moved(10, -20), { x: 10, y: -20, scale: 1 });
  assert.deepEqual(moved(9999, 9999), { x: 740, y: 340, scale: 1 });
  assert.deepEqual(moved(-9999, -9999), { x: -940, y: -240, scale: 1 });
});

test("a part is brought into sight, no further than needed", () => {
  const viewport = { x: 0, y: 0, scale: 1 };
  const size = { width: 100, height: 50 };
  for (const [x, y, expected, reason] of /** @type {const} */ ([
    [200, 100, [0, 0], "it is in sight"],
    [-40, 100, [52, 0], "on the left"],
    [790, 380, [-102, -42], "on the right and below"],
  ])) {
    const next = reveal(viewport, { x, y, ...size }, VIEW);
    assert.deepEqual([next.x, next.y], expected, reason);
  }
  const wide = reveal(
    viewport,
    { x: 500, y: 0, width: 2000, height: 10 },
    VIEW,
  );
  assert.equal(wide.x, 12 - 500, "its beginning, if it does not fit");
});
