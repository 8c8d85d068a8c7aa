// Remembers where the list was scrolled to, for a reload and for the way back to it.

const KEY = "list-top";

/** @typedef {{ id: number, at: number }} Anchor a row, and where its top was */

/** @param {Anchor | null} anchor */
export function rememberTop(anchor) {
  if (anchor === null) sessionStorage.removeItem(KEY);
  else
    sessionStorage.setItem(
      KEY,
      JSON.stringify({ ...anchor, search: location.search }),
    );
}

/** Where the list of this address was; null if it was at its top. @returns {Anchor | null} */
export function recallTop() {
  try {
    const { search, id, at } = JSON.parse(sessionStorage.getItem(KEY) ?? "{}");
    return search === location.search ? { id, at } : null;
  } catch {
    return null;
  }
}
