// How a trace ended: what its root answered, and the service where its error began.

import { texts } from "../texts.js";

/** @typedef {import('../types.d.ts').TraceSummary} TraceSummary */
/** @typedef {Pick<TraceSummary, 'status' | 'root_error' | 'error_service' | 'errors'>} Ended */

/**
 * In words: "200", "502 in fraud", "ok", "200, error in mail".
 * @param {Ended} trace
 * @returns {{ answer: string, from: string | null, isError: boolean, isRootOk: boolean }}
 */
export function outcomeOf({ status, root_error, error_service, errors }) {
  const known =
    root_error === null ? "" : root_error ? texts.span.error : texts.row.ok;
  return {
    answer: status || known,
    from: errors > 0 ? error_service : null,
    isError: errors > 0,
    isRootOk: errors > 0 && root_error === false,
  };
}

/** The answer of a root as the API says it, in words of the page. @param {string} outcome */
export function answerText(outcome) {
  if (outcome === "error") return texts.span.error;
  return outcome === "ok" ? texts.row.ok : outcome;
}

/**
 * The order of outcomes: without errors, errors below the root, errors of the root.
 * @param {Ended} one
 * @param {Ended} other
 */
export function compareOutcomes(one, other) {
  const weight = (/** @type {Ended} */ { errors, root_error: root }) =>
    errors === 0 ? 0 : root === true ? 2 : 1;
  return (
    weight(one) - weight(other) ||
    one.status.localeCompare(other.status) ||
    (one.error_service ?? "").localeCompare(other.error_service ?? "")
  );
}
