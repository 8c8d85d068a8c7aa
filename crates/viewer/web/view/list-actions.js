// The buttons of the list: group, pause, delete.

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
      title: "Traces that went the same way become one row",
      onclick: onGroup,
    },
    "Group",
  );
  const pause = el(
    "button",
    { type: "button", "aria-pressed": "false", onclick: onPause },
    "Pause",
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
        "Delete all",
      ),
    ),
    /** @param {boolean} isOn */
    showGrouped(isOn) {
      group.setAttribute("aria-pressed", String(isOn));
    },
    /** @param {boolean} isOn */
    showPaused(isOn) {
      pause.setAttribute("aria-pressed", String(isOn));
      pause.textContent = isOn ? "Resume" : "Pause";
    },
  };
}
