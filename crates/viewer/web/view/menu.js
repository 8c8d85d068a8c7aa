// A menu that opens below its button, and closes by Escape or a click elsewhere.

import { el } from "./dom.js";

/** @typedef {import('../types.d.ts').Child} Child */

/** @param {{ label: string, content: Child }} options */
export function menu({ label, content }) {
  const summary = el("summary", {}, label);
  /** @type {HTMLDetailsElement} */
  const element = el(
    "details",
    {
      class: "menu",
      onkeydown: (/** @type {KeyboardEvent} */ event) => {
        if (event.key !== "Escape" || !element.open) return;
        element.open = false;
        summary.focus();
        event.stopPropagation();
      },
    },
    summary,
    el("div", { class: "menu-content" }, content),
  );
  document.addEventListener("pointerdown", closeOutside);

  /** @param {Event} event */
  function closeOutside({ target }) {
    if (target instanceof Node && !element.contains(target))
      element.open = false;
  }

  return {
    element,
    dispose: () => document.removeEventListener("pointerdown", closeOutside),
  };
}
