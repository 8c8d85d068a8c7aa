// Turns the form of "Try it" into a request, and reads the response.

/**
 * The request that a form describes. Throws an Error for the user when the
 * service can't be named in baggage, or the path is none.
 * @param {FormData} form
 * @returns {{ path: string, headers: Record<string, string>, body: string }}
 */
export function buildRequest(form) {
  /** @type {Record<string, string>} */
  const headers = { "content-type": "application/json" };
  const baggage = faultsToBaggage(form);
  if (baggage) headers.baggage = baggage;
  const path = String(form.get("path") || "/process").trim();
  if (!/^\/(?!\/)[^\s?#]*$/.test(path))
    throw new Error(`'${path}' is no path, such as /process`);
  return {
    path: form.get("report") ? `${path}?report` : path,
    headers,
    body: String(form.get("payload") ?? ""),
  };
}

/** @param {FormData} form */
function faultsToBaggage(form) {
  const field = (/** @type {string} */ name) =>
    String(form.get(name) ?? "").trim();
  const service = field("service") || "*";
  const members = [];
  for (const name of ["errors", "latency"]) {
    if (field(name))
      members.push(
        `tail.${baggageKey(service)}.${name}=${encodeURIComponent(field(name))}`,
      );
  }
  if (field("seed"))
    members.push(`tail.seed=${encodeURIComponent(field("seed"))}`);
  return members.join(",");
}

// A baggage key is a token of RFC 9110.
/** @param {string} service */
function baggageKey(service) {
  if (!/^[\w!#$%&'*+\-.^\x60|~]+$/.test(service)) {
    throw new Error(
      `'${service}' can't be named in baggage: use letters, digits, '-', '_' and '.'`,
    );
  }
  return service;
}

/** The trace id of a `traceresponse` header. @param {string | null} header */
export function responseTraceId(header) {
  return header?.split("-")[1];
}

/** JSON, indented; other text as it is. @param {string} text */
export function indentJson(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
