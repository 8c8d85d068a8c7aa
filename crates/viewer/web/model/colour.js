// Gives each service a colour by its name, the same in every tab.

/** How many colours the style sheet has. */
export const COLOURS = 12;

/** Where the tabs share the colours of services. */
const KEY = "colours";
/** Names beyond this many are forgotten, the oldest first. */
const MAX_KEPT = 200;

/** @type {Map<string, number>} */
let assigned = new Map();
/** Those of the trace that is shown, where two services may not be alike. */
/** @type {Map<string, number>} */
let ofTrace = new Map();

/**
 * The class of a service's colour.
 * @param {string} service
 */
export function colourClass(service) {
  return `c${ofTrace.get(service) ?? sharedColour(service)}`;
}

/**
 * Gives the services of a trace colours that differ, as far as there are enough.
 * Elsewhere in the page they keep theirs.
 * @param {string[]} services
 */
export function showColoursOf(services) {
  ofTrace = distinctColours(services, sharedColour);
}

/**
 * Colours for the services of a trace: its shared one for each, or another where
 * a service that comes before it by name has the same.
 * @param {string[]} services
 * @param {(service: string) => number} shared
 */
export function distinctColours(services, shared) {
  const colours = new Map();
  const sorted = [...services].sort();
  const taken = new Set();
  const left = sorted.filter((service) => {
    const colour = shared(service);
    if (taken.has(colour)) return true;
    taken.add(colour);
    colours.set(service, colour);
    return false;
  });
  for (const service of left) {
    const colour = pickColour(service, taken);
    taken.add(colour);
    colours.set(service, colour);
  }
  return colours;
}

/** @param {string} service */
function sharedColour(service) {
  const known = assigned.get(service);
  if (known !== undefined) return known;
  assigned = readShared() ?? assigned;
  const colour =
    assigned.get(service) ?? pickColour(service, new Set(assigned.values()));
  assigned.set(service, colour);
  writeShared([...assigned].slice(-MAX_KEPT));
  return colour;
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

/**
 * What a tab has stored; null where there is nothing, or nothing that makes sense.
 * @param {string | null} text
 * @returns {Map<string, number> | null}
 */
export function parseColours(text) {
  try {
    const stored = JSON.parse(text ?? "null");
    if (!Array.isArray(stored)) return null;
    return new Map(
      stored.filter(
        (pair) =>
          Array.isArray(pair) &&
          typeof pair[0] === "string" &&
          Number.isInteger(pair[1]) &&
          pair[1] >= 0 &&
          pair[1] < COLOURS,
      ),
    );
  } catch {
    return null;
  }
}

// Without storage, as in tests, each tab has colours of its own.
function readShared() {
  try {
    return parseColours(globalThis.localStorage?.getItem(KEY) ?? null);
  } catch {
    return null;
  }
}

/** @param {[string, number][]} pairs */
function writeShared(pairs) {
  try {
    globalThis.localStorage?.setItem(KEY, JSON.stringify(pairs));
  } catch {
    return;
  }
}
