// The buttons of the list: group, pause, delete.

import { texts } from "../texts.js";
import { el } from "./dom.js";

/**
 * @param {{ onGroup: () => void, onPause: () => void, onDelete: () => void }} handlers
 */
export function listActions({ onGroup, onPause, onDelete }) {
  const group = el(
    "button",
    {
      type: "button",
      "aria-pressed": "false",
      title: texts.list.groupTitle,
      onclick: onGroup,
    },
    texts.list.group,
  );
  const pause = el(
    "button",
    { type: "button", "aria-pressed": "false", onclick: onPause },
    texts.list.pause,
  );
  return {
    element: el(
      "div",
      { class: "actions" },
      group,
      pause,
      el(
        "button",
        { type: "button", class: "danger", onclick: onDelete },
        texts.list.deleteAll,
      ),
    ),
    /** @param {boolean} isOn */
    showGrouped(isOn) {
      group.setAttribute("aria-pressed", String(isOn));
    },
    /** @param {boolean} isOn */
    showPaused(isOn) {
      pause.setAttribute("aria-pressed", String(isOn));
      pause.textContent = isOn ? texts.list.resume : texts.list.pause;
    },
  };
}
