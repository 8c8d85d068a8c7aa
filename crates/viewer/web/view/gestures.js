// Wheel, pinch and drag on the timeline.

import { el } from "./dom.js";

/** How far a pointer moves before it drags, in pixels. */
const SLACK = 5;

/**
 * @typedef {object} Hold
 * @property {(factor: number, share: number) => void} zoom at a share of the width
 * @property {(share: number) => void} move by a share of what is in sight
 * @property {() => boolean} canMove
 * @property {boolean} onPlainWheel whether the wheel zooms without a key
 */

/**
 * Zooms by the wheel with Ctrl, which is what a touchpad's pinch is, and by two
 * fingers; moves by a wheel to the side, and by dragging.
 * @param {HTMLElement} element
 * @param {HTMLElement} ruler what has the width of the time in sight
 * @param {Hold} hold
 */
export function holdTimeline(element, ruler, hold) {
  /** The pointers that are down, by their id. @type {Map<number, number>} */
  const down = new Map();
  let isDragging = false;
  const share = (/** @type {number} */ x) => {
    const { left, width } = ruler.getBoundingClientRect();
    return Math.min(1, Math.max(0, (x - left) / Math.max(1, width)));
  };
  const isOnTrack = (/** @type {Event} */ event) =>
    event.target instanceof Element &&
    event.target.closest(".track, .timeline, .icicle .spans") !== null;

  element.addEventListener(
    "wheel",
    (event) => {
      if (!isOnTrack(event)) return;
      const { deltaX, deltaY, shiftKey, ctrlKey, metaKey } = event;
      const aside = shiftKey ? deltaY || deltaX : deltaX;
      if (shiftKey || Math.abs(deltaX) > Math.abs(deltaY)) {
        if (!hold.canMove()) return;
        hold.move(aside / Math.max(1, ruler.clientWidth));
      } else if (ctrlKey || metaKey || hold.onPlainWheel) {
        hold.zoom(
          1.002 ** Math.max(-300, Math.min(300, deltaY)),
          share(event.clientX),
        );
      } else return;
      event.preventDefault();
    },
    { passive: false },
  );
  if (hold.onPlainWheel) return;

  element.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !isOnTrack(event)) return;
    down.set(event.pointerId, event.clientX);
    isDragging = false;
  });
  element.addEventListener("pointermove", (event) => {
    const before = down.get(event.pointerId);
    if (before === undefined) return;
    if (down.size === 2) pinch(event, before);
    else if (down.size === 1) drag(event, before);
  });
  for (const end of ["pointerup", "pointercancel", "pointerleave"])
    element.addEventListener(end, (event) =>
      down.delete(/** @type {PointerEvent} */ (event).pointerId),
    );
  // What ends a drag chooses no row.
  element.addEventListener(
    "click",
    (event) => {
      if (isDragging) event.stopPropagation();
      isDragging = false;
    },
    { capture: true },
  );

  /** @param {PointerEvent} event @param {number} before */
  function drag({ pointerId, clientX, buttons }, before) {
    if (buttons === 0) {
      down.delete(pointerId);
      return;
    }
    if (!hold.canMove()) return;
    if (!isDragging && Math.abs(clientX - before) < SLACK) return;
    isDragging = true;
    down.set(pointerId, clientX);
    hold.move((before - clientX) / Math.max(1, ruler.clientWidth));
  }

  /** @param {PointerEvent} event @param {number} before */
  function pinch({ pointerId, clientX }, before) {
    const [other] = [...down].filter(([id]) => id !== pointerId);
    down.set(pointerId, clientX);
    const [was, is] = [before, clientX].map((x) => Math.abs(x - other[1]));
    isDragging = true;
    if (was < 10 || is < 10) return;
    hold.zoom(was / is, share((clientX + other[1]) / 2));
  }
}

/**
 * Chooses a part of an element's width by dragging over it.
 * @param {HTMLElement} element
 * @param {(from: number, to: number) => void} onChoose with shares of the width
 */
export function brush(element, onChoose) {
  const mark = el("div", { class: "brush", hidden: true });
  /** @type {number | null} */
  let start = null;
  const share = (/** @type {PointerEvent} */ event) => {
    const { left, width } = element.getBoundingClientRect();
    return Math.min(
      1,
      Math.max(0, (event.clientX - left) / Math.max(1, width)),
    );
  };
  element.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    element.setPointerCapture(event.pointerId);
    start = share(event);
  });
  element.addEventListener("pointermove", (event) => {
    if (start === null) return;
    const [from, to] = [start, share(event)].sort((one, other) => one - other);
    if (!mark.isConnected) element.append(mark);
    mark.hidden = false;
    mark.style.setProperty("left", `${100 * from}%`);
    mark.style.setProperty("width", `${100 * (to - from)}%`);
  });
  element.addEventListener("pointerup", (event) => {
    if (start === null) return;
    const [from, to] = [start, share(event)].sort((one, other) => one - other);
    cancel();
    if ((to - from) * element.clientWidth >= SLACK) onChoose(from, to);
  });
  element.addEventListener("pointercancel", cancel);

  function cancel() {
    start = null;
    mark.hidden = true;
  }
}
