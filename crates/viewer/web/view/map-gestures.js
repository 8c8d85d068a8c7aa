// Moves and zooms a picture by pointer, touch and wheel.

/** @typedef {import('../model/graph-groups.js').Point} Point */

/** A pointer that moves less has clicked. */
const CLICK = 5;

/**
 * @param {SVGSVGElement} picture
 * @param {object} handlers
 * @param {(by: Point) => void} handlers.onMove
 * @param {(factor: number, at: Point) => void} handlers.onZoom
 */
export function holdPicture(picture, { onMove, onZoom }) {
  /** @type {Map<number, Point>} */
  const pointers = new Map();
  let moved = 0;

  /** @param {{ clientX: number, clientY: number }} event @returns {Point} */
  function place({ clientX, clientY }) {
    const { left, top } = picture.getBoundingClientRect();
    return { x: clientX - left, y: clientY - top };
  }

  picture.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "mouse" && event.button !== 0) return;
    if (pointers.size === 0) moved = 0;
    pointers.set(event.pointerId, place(event));
  });
  picture.addEventListener("pointermove", (event) => {
    const from = pointers.get(event.pointerId);
    if (!from) return;
    const to = place(event);
    const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
    moved += Math.hypot(to.x - from.x, to.y - from.y);
    if (moved < CLICK) return;
    pointers.set(event.pointerId, to);
    // Not before: a click would miss the link below the pointer.
    picture.setPointerCapture(event.pointerId);
    if (!other) return onMove({ x: to.x - from.x, y: to.y - from.y });
    const middle = { x: (to.x + other.x) / 2, y: (to.y + other.y) / 2 };
    onMove({ x: (to.x - from.x) / 2, y: (to.y - from.y) / 2 });
    const [now, before] = [to, from].map((one) =>
      Math.hypot(one.x - other.x, one.y - other.y),
    );
    if (before > 0) onZoom(now / before, middle);
  });
  for (const end of ["pointerup", "pointercancel"])
    picture.addEventListener(end, (event) =>
      pointers.delete(/** @type {PointerEvent} */ (event).pointerId),
    );
  picture.addEventListener(
    "click",
    (event) => {
      // A click by keyboard has no detail.
      if (moved < CLICK || event.detail === 0) return;
      event.preventDefault();
      event.stopPropagation();
    },
    { capture: true },
  );
  picture.addEventListener("dragstart", (event) => event.preventDefault());
  // Pinching a touchpad is a wheel with Ctrl. Without it the page scrolls.
  picture.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 33 : 1;
      const by = Math.max(-120, Math.min(120, event.deltaY * lines));
      onZoom(Math.exp(-by / 250), place(event));
    },
    { passive: false },
  );
}
