// Walks through the spans that were found.

/**
 * The next of some indices after another, or the one before it; beyond the last
 * comes the first.
 * @param {Iterable<number>} indices in ascending order
 * @param {number} index
 * @param {boolean} [isBackwards]
 * @returns {number | undefined}
 */
export function nextOf(indices, index, isBackwards = false) {
  const all = [...indices];
  if (isBackwards)
    return all.findLast((one) => one < index) ?? all[all.length - 1];
  return all.find((one) => one > index) ?? all[0];
}
