// What the list says about itself: that it may be old, and what it leaves out.

import { ApiError } from "../api.js";
import { count } from "../model/format.js";
import { queryError } from "../model/query.js";
import { el, toMessage } from "./dom.js";

/** That the last request failed. What is shown stays, marked as such. */
export function staleNote() {
  const element = el("p", { class: "note warn", role: "status", hidden: true });
  return {
    element,
    hide() {
      element.hidden = true;
    },
    /**
     * @param {unknown} error
     * @param {boolean} isEmpty whether nothing is shown
     * @returns {{ isRefused: boolean, inQuery: ReturnType<typeof queryError> }}
     *   whether to ask again is of no use, and where the query is not understood
     */
    show(error, isEmpty) {
      const message = toMessage(error);
      const isRefused = error instanceof ApiError && error.status === 400;
      const inQuery = isRefused ? queryError(message) : null;
      const what = isEmpty ? "" : " Below is the last good result.";
      element.hidden = false;
      element.textContent = inQuery
        ? `The query was not understood.${what}`
        : `${message}.${what}`;
      return { isRefused, inQuery };
    },
  };
}

/** That requests without a route are left out. @param {boolean} isUnrouted whether they are listed */
export function leftOutNote(isUnrouted) {
  const element = el("p", { class: "note", hidden: true });
  return {
    element,
    /** @param {number} unrouted how many are left out */
    show(unrouted) {
      element.hidden = unrouted === 0 && !isUnrouted;
      if (isUnrouted)
        element.replaceChildren(
          "Requests without a route are listed too. ",
          el("a", { href: "./#/" }, "Leave them out"),
        );
      else
        element.replaceChildren(
          `Left out: ${count(unrouted, "request")} without a route. `,
          el("a", { href: "?unrouted=true#/" }, "List them, too"),
        );
    },
  };
}
