// Reads the page's address: `#/`, `#/trace/<id>/<span>`, `#/map`, `#/try`.

/**
 * @param {string} hash
 * @returns {{ name: string, segments: string[], query: URLSearchParams }}
 */
export function parseRoute(hash) {
  const [path, query = ""] = hash.replace(/^#/, "").split("?");
  const [name = "", ...segments] = path
    .split("/")
    .filter((segment) => segment !== "");
  return { name, segments, query: new URLSearchParams(query) };
}

/**
 * The address of the traces with a call.
 * @param {{ caller: string, callee: string }} edge
 */
export function callAddress({ caller, callee }) {
  return `#/?calls=${encodeURIComponent(`${caller}>${callee}`)}`;
}
