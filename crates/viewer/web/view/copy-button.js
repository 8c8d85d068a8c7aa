// A button that copies a text, and shows that it did.

import { copyText, el } from "./dom.js";

const SHOWN = 1500;

/**
 * @param {string} value
 * @param {string} name of what is copied
 * @param {{ text?: string, class?: string }} [look]
 */
export function copyButton(value, name, look = {}) {
  const { text = "Copy", class: style = "quiet" } = look;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const button = el(
    "button",
    {
      type: "button",
      class: style,
      "aria-label": `Copy ${name}`,
      onclick: copy,
    },
    text,
  );

  async function copy() {
    await copyText(value, name);
    clearTimeout(timer);
    button.textContent = "Copied";
    timer = setTimeout(() => (button.textContent = text), SHOWN);
  }

  return button;
}
