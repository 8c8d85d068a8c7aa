// Gives each service a colour.

/** How many colours the style sheet has. */
export const COLOURS = 12;

/** @type {Map<string, number>} */
const assigned = new Map();

/**
 * The class of a service's colour, which stays the same while the page is open.
 * @param {string} service
 */
export function colourClass(service) {
  const colour =
    assigned.get(service) ?? pickColour(service, new Set(assigned.values()));
  assigned.set(service, colour);
  return `c${colour}`;
}

/**
 * The colour that a name hashes to, or the next one that is free.
 * @param {string} service
 * @param {Set<number>} taken
 */
export function pickColour(service, taken) {
  let hash = 0;
  for (const character of service)
    hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 4093;
  let colour = hash % COLOURS;
  for (let step = 0; step < COLOURS && taken.has(colour); step++)
    colour = (colour + 1) % COLOURS;
  return colour;
}
