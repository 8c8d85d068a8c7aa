// The part of a picture that is in sight: where its origin is, and how large it
// is drawn.

/** @typedef {import('./graph-boxes.js').Size} Size */
/** @typedef {import('./graph-groups.js').Point} Point */
/** @typedef {import('./layered.js').Rect} Rect */
/** @typedef {Point & { scale: number }} Viewport */

/** Below this scale texts are hard to read. */
export const READABLE = 0.7;
const MAX_SCALE = 3;
const MIN_SCALE = 0.1;
/** As much of a picture stays in sight. */
const KEPT = 60;

/**
 * All of a picture in its middle, not larger than it is.
 * @param {Size} picture
 * @param {Size} view
 * @returns {Viewport}
 */
export function fitAll(picture, view) {
  const wanted = Math.min(
    1,
    view.width / Math.max(1, picture.width),
    view.height / Math.max(1, picture.height),
  );
  const scale = Math.max(MIN_SCALE, wanted);
  return {
    x: (view.width - picture.width * scale) / 2,
    y: (view.height - picture.height * scale) / 2,
    scale,
  };
}

/**
 * All of a picture if it can be read then, or else where it begins.
 * @param {Size} picture
 * @param {Size} view
 * @param {Point} start
 * @param {boolean} isUpright
 * @returns {Viewport}
 */
export function firstSight(picture, view, start, isUpright) {
  const all = fitAll(picture, view);
  if (all.scale >= READABLE) return all;
  const [width, height] = [picture.width * READABLE, picture.height * READABLE];
  const middle = {
    x: view.width / 2 - start.x * READABLE,
    y: view.height / 2 - start.y * READABLE,
  };
  const viewport = isUpright
    ? { x: within(middle.x, view.width - width), y: 0, scale: READABLE }
    : { x: 0, y: within(middle.y, view.height - height), scale: READABLE };
  // What fits in one direction is in the middle there.
  if (width < view.width) viewport.x = (view.width - width) / 2;
  if (height < view.height) viewport.y = (view.height - height) / 2;
  return viewport;
}

/**
 * Zooms by a factor; the point at `at` stays where it is.
 * @param {Viewport} viewport
 * @param {number} factor
 * @param {Point} at
 * @returns {Viewport}
 */
export function zoomBy(viewport, factor, at) {
  const wanted = viewport.scale * factor;
  const scale = Math.min(MAX_SCALE, Math.max(MIN_SCALE, wanted));
  const by = scale / viewport.scale;
  return {
    x: at.x - (at.x - viewport.x) * by,
    y: at.y - (at.y - viewport.y) * by,
    scale,
  };
}

/**
 * Moves, as long as something of the picture stays in sight.
 * @param {Viewport} viewport
 * @param {Point} by
 * @param {Size} picture
 * @param {Size} view
 * @returns {Viewport}
 */
export function moveBy(viewport, by, picture, view) {
  const { scale } = viewport;
  const keep = (
    /** @type {number} */ at,
    /** @type {number} */ size,
    /** @type {number} */ room,
  ) => Math.min(room - KEPT, Math.max(KEPT - size * scale, at));
  return {
    x: keep(viewport.x + by.x, picture.width, view.width),
    y: keep(viewport.y + by.y, picture.height, view.height),
    scale,
  };
}

/**
 * Moves no further than needed to bring a part of the picture into sight.
 * @param {Viewport} viewport
 * @param {Rect} rect
 * @param {Size} view
 * @returns {Viewport}
 */
export function reveal({ x, y, scale }, rect, view) {
  const room = 12;
  const shift = (
    /** @type {number} */ from,
    /** @type {number} */ size,
    /** @type {number} */ length,
  ) => {
    if (from < room) return room - from;
    return Math.min(0, Math.max(length - room - from - size, room - from));
  };
  return {
    x: x + shift(rect.x * scale + x, rect.width * scale, view.width),
    y: y + shift(rect.y * scale + y, rect.height * scale, view.height),
    scale,
  };
}

/** Between the smallest and 0. @param {number} at @param {number} least */
function within(at, least) {
  return Math.min(0, Math.max(least, at));
}
