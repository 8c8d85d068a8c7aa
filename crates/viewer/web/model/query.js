// The query language of the list, as far as the page needs it: to suggest keys
// and values, and to add and remove terms. The server parses it
// (src/filter/query.rs), and says where a query is wrong.

/** @typedef {import('../types.d.ts').Facets} Facets */

/**
 * @typedef {object} Token a part of a query: `-key>=value`
 * @property {number} start
 * @property {number} end
 * @property {string} text
 * @property {boolean} negated
 * @property {string} key without its operator the word itself
 * @property {string} operator empty for a word
 * @property {string} value without quotes
 */

/**
 * @typedef {object} Suggestion
 * @property {string} text what replaces the token
 * @property {string} label
 * @property {number | null} count of traces, or of spans inside a trace
 */

const TOKEN = /(?:"(?:[^"\\]|\\.)*"?|[^\s"])+/g;
const PARTS = /^(-?)("(?:[^"\\]|\\.)*"?|[^\s"=<>~]*?)(!=|>=|<=|=|>|<|~)(.*)$/s;
const MAX_SUGGESTIONS = 12;
/** Keys that the server knows besides attributes. */
const OWN_KEYS = ["service", "name", "kind", "status", "duration", "env"];

/** @param {string} query @returns {Token[]} */
export function tokens(query) {
  return [...query.matchAll(TOKEN)].map((match) => {
    const [text] = match;
    const parts = PARTS.exec(text);
    const negated = text.startsWith("-");
    return {
      start: match.index,
      end: match.index + text.length,
      text,
      negated,
      key: parts ? parts[2] : negated ? text.slice(1) : text,
      operator: parts?.[3] ?? "",
      value: unquote(parts?.[4] ?? ""),
    };
  });
}

/** The token that a cursor is in or behind. @param {string} query @param {number} cursor */
export function tokenAt(query, cursor) {
  return tokens(query).find((one) => one.start < cursor && cursor <= one.end);
}

/** @param {string} text */
function unquote(text) {
  if (!text.startsWith('"')) return text;
  return text.replace(/^"|"$/g, "").replace(/\\(.)/gs, "$1");
}

/** A value as the language reads it. @param {string} value */
export function quote(value) {
  if (/^[^\s"]+$/.test(value)) return value;
  return `"${value.replace(/["\\]/g, "\\$&")}"`;
}

/**
 * A key as the language reads it: an attribute that is called like a field needs
 * quotes.
 * @param {string} key
 * @param {boolean} isField
 */
export function quoteKey(key, isField) {
  const isPlain = /^[^\s"=<>~!-][^\s"=<>~!]*$/.test(key);
  return isPlain && (isField || !OWN_KEYS.includes(key))
    ? key
    : `"${key.replace(/["\\]/g, "\\$&")}"`;
}

/**
 * What may come at the cursor.
 * @param {Pick<Facets, 'keys'>} facets
 * @param {string} query
 * @param {number} cursor
 * @returns {Suggestion[]}
 */
export function suggest({ keys }, query, cursor) {
  const token = tokenAt(query, cursor);
  const sign = token?.negated ? "-" : "";
  if (!token?.operator) {
    const typed = unquote(token?.key ?? "").toLowerCase();
    const names = keys.map(({ key, field }) => quoteKey(key, field));
    return [...names.slice(0, 4), "duration", "env", ...names.slice(4)]
      .filter((name) => name.toLowerCase().includes(typed))
      .sort((one, other) => rank(one, typed) - rank(other, typed))
      .slice(0, MAX_SUGGESTIONS)
      .map((name) => {
        const operator = name === "duration" ? ">" : "=";
        return { text: sign + name + operator, label: name, count: null };
      });
  }
  const { key, operator } = token;
  const isQuoted = key.startsWith('"');
  const known = keys.find(
    (one) => one.key === unquote(key) && !(isQuoted && one.field),
  );
  const typed = token.value.toLowerCase();
  return (known?.values ?? [])
    .filter(([value]) => value.toLowerCase().includes(typed))
    .slice(0, MAX_SUGGESTIONS)
    .map(([value, count]) => ({
      text: `${sign}${key}${operator}${quote(value)} `,
      label: value,
      count,
    }));
}

/** @param {string} name @param {string} typed */
function rank(name, typed) {
  return name.toLowerCase().startsWith(typed) ? 0 : 1;
}

/**
 * The query with a suggestion taken, and where the cursor is then.
 * @param {string} query
 * @param {number} cursor
 * @param {string} text
 * @returns {[string, number]}
 */
export function complete(query, cursor, text) {
  const token = tokenAt(query, cursor);
  const before = query.slice(0, token?.start ?? cursor);
  const rest = query.slice(token?.end ?? cursor);
  const after = text.endsWith(" ") ? rest.replace(/^\s+/, "") : rest;
  return [before + text + after, before.length + text.length];
}

/** Whether a query has a term. @param {string} query @param {string} term */
export function hasTerm(query, term) {
  return tokens(query).some((one) => one.text === term);
}

/** The query with a term added, or without it. @param {string} query @param {string} term */
export function toggleTerm(query, term) {
  const terms = tokens(query).map((one) => one.text);
  const others = terms.filter((text) => text !== term);
  return (others.length < terms.length ? others : [...terms, term]).join(" ");
}

/**
 * Where the server finds a query wrong, and why.
 * @param {string} message
 * @returns {{ position: number, reason: string } | null}
 */
export function queryError(message) {
  const match = /^q: character (\d+): (.*)$/s.exec(message);
  return match && { position: Number(match[1]), reason: match[2] };
}
