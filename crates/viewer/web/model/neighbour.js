// Which node an arrow key leads to.

/** @typedef {import('./layered.js').Rect} Rect */

/** @type {Record<string, [number, number]>} */
const DIRECTIONS = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};
/** Being aside counts more than being far. */
const ASIDE = 2;

/** Whether a key is an arrow. @param {string} key */
export function isArrow(key) {
  return key in DIRECTIONS;
}

/**
 * The nearest of the boxes in the direction of an arrow key; null if there is none.
 * @param {Map<string, Rect>} rects
 * @param {string} from
 * @param {string} key
 */
export function neighbour(rects, from, key) {
  const start = rects.get(from);
  const [x, y] = DIRECTIONS[key] ?? [0, 0];
  if (!start) return null;
  let [found, least] = [/** @type {string | null} */ (null), Infinity];
  for (const [id, rect] of rects) {
    const [right, down] = [
      centre(rect, "x") - centre(start, "x"),
      centre(rect, "y") - centre(start, "y"),
    ];
    const ahead = right * x + down * y;
    const aside = Math.abs(right * y) + Math.abs(down * x);
    const distance = ahead + ASIDE * aside;
    // Nothing that is almost beside it.
    if (id === from || ahead <= 1 || aside > 2 * ahead || distance >= least)
      continue;
    [found, least] = [id, distance];
  }
  return found;
}

/** @param {Rect} rect @param {'x' | 'y'} axis */
function centre(rect, axis) {
  return axis === "x" ? rect.x + rect.width / 2 : rect.y + rect.height / 2;
}
