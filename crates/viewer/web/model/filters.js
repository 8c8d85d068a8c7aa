// The list's filters: from the form to the API's parameters and to the page's
// address.

/**
 * @typedef {object} Filters
 * @property {string} text
 * @property {string} service
 * @property {string[]} attribute each as `key=value`
 * @property {string} min_duration in milliseconds
 * @property {string} errors `true` or empty
 * @property {string} calls `caller>callee`, from the address only
 * @property {number | ''} from milliseconds since 1970
 */

/** As many attributes as the API accepts. */
export const MAX_ATTRIBUTES = 8;

/**
 * Reads the filters of a form. `calls` has no field; `now` turns a period into
 * its start.
 * @param {FormData} form
 * @param {string} calls
 * @param {number} now milliseconds since 1970
 * @returns {Filters}
 */
export function readFilters(form, calls, now) {
  const field = (/** @type {string} */ name) => String(form.get(name) ?? "");
  const minutes = Number(field("since"));
  return {
    text: field("text").trim(),
    service: field("service"),
    attribute: form
      .getAll("attribute")
      .map(String)
      .filter((one) => one.trim()),
    min_duration: field("min_duration").trim(),
    errors: field("errors") ? "true" : "",
    calls,
    from: minutes ? now - minutes * 60000 : "",
  };
}

/**
 * The filters as the page's address; a time that passes is not part of it.
 * @param {Filters} filters
 */
export function filtersToAddress(filters) {
  const query = new URLSearchParams();
  for (const name of /** @type {const} */ ([
    "text",
    "service",
    "min_duration",
    "errors",
    "calls",
  ])) {
    if (filters[name]) query.set(name, filters[name]);
  }
  for (const one of filters.attribute) query.append("attribute", one);
  const text = query.toString();
  return text ? `#/?${text}` : "#/";
}

/** Whether any filter is set. @param {Filters} filters */
export function isFiltered(filters) {
  return Object.values(filters)
    .flat()
    .some((value) => value !== "");
}

/**
 * The parameters of a request, as a query; empty ones are left out.
 * @param {import('../types.d.ts').Parameters} parameters
 */
export function toQuery(parameters) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    for (const one of [value].flat()) {
      if (one !== undefined && one !== null && one !== "")
        query.append(name, String(one));
    }
  }
  return query;
}
