// A button that copies a text, and shows that it did.

import { texts } from "../texts.js";
import { announce, copyText, el } from "./dom.js";

const SHOWN = 1500;

/**
 * @param {string | (() => string)} value a text, or what makes it
 * @param {string} name of what is copied
 * @param {{ text?: string, class?: string }} [look]
 */
export function copyButton(value, name, look = {}) {
  const { text = texts.page.copy, class: style = "quiet" } = look;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const button = el(
    "button",
    {
      type: "button",
      class: style,
      "aria-label": text === texts.page.copy ? texts.page.copyOf(name) : null,
      onclick: copy,
    },
    text,
  );

  async function copy() {
    try {
      await copyText(typeof value === "string" ? value : value(), name);
    } catch (error) {
      announce(error);
      return;
    }
    clearTimeout(timer);
    button.textContent = texts.page.done;
    timer = setTimeout(() => (button.textContent = text), SHOWN);
  }

  return button;
}
