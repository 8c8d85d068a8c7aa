// How many of some things fit into a line.

/**
 * How many of the first fit, if those that are left out are counted at the end.
 * @param {number[]} widths
 * @param {number} room
 * @param {{ gap: number, rest: number }} spaces between two, and for the count of
 *   what is left out
 */
export function fitting(widths, room, { gap, rest }) {
  let used = 0;
  let many = 0;
  for (const [index, width] of widths.entries()) {
    used += width + (index > 0 ? gap : 0);
    const isLast = index === widths.length - 1;
    if (used + (isLast ? 0 : gap + rest) > room) break;
    many++;
  }
  return many;
}
