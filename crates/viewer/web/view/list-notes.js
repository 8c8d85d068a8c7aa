// What the list says about itself: that it may be old, and what it leaves out.

import { ApiError } from "../api.js";
import { count } from "../model/format.js";
import { queryError } from "../model/query.js";
import { texts } from "../texts.js";
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
      const what = isEmpty ? "" : ` ${texts.list.lastGood}`;
      element.hidden = false;
      element.textContent = inQuery
        ? texts.list.badQuery + what
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
          texts.list.unroutedShown,
          " ",
          el("a", { href: "./#/" }, texts.list.leaveOut),
        );
      else
        element.replaceChildren(
          texts.list.leftOut(count(unrouted, "request")),
          " ",
          el("a", { href: "?unrouted=true#/" }, texts.list.listThem),
        );
    },
  };
}
