// Creates elements. Whatever is shown is added as text, never as markup.

import { isBlank, startsWithinCharacter } from "../model/text.js";
import { texts } from "../texts.js";

/** @typedef {import('../types.d.ts').Child} Child */
/** @typedef {import('../types.d.ts').Properties} Properties */

const SVG = "http://www.w3.org/2000/svg";

/**
 * An HTML element with properties and children.
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {Properties} [properties]
 * @param {Child[]} children
 * @returns {HTMLElementTagNameMap[Name]}
 */
export function el(name, properties = {}, ...children) {
  return fill(document.createElement(name), properties, children);
}

/**
 * An SVG element with properties and children.
 * @template {keyof SVGElementTagNameMap} Name
 * @param {Name} name
 * @param {Properties} [properties]
 * @param {Child[]} children
 * @returns {SVGElementTagNameMap[Name]}
 */
export function svg(name, properties = {}, ...children) {
  return fill(document.createElementNS(SVG, name), properties, children);
}

/**
 * @template {Element} Target
 * @param {Target} element
 * @param {Properties} properties
 * @param {Child[]} children
 * @returns {Target}
 */
function fill(element, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (typeof value === "function")
      element.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "checked")
      Object.assign(element, { [name]: value });
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...nodes(children));
  return element;
}

/** @param {Child[]} children @returns {(Node | string)[]} */
function nodes(children) {
  return children.flatMap((child) => {
    if (Array.isArray(child)) return nodes(child);
    if (child === null || child === undefined || child === false) return [];
    return [child instanceof Node ? child : String(child)];
  });
}

/**
 * A button without a frame, whose label is a tooltip too.
 * @param {string} text
 * @param {string} label
 * @param {() => void} onclick
 */
export function quietButton(text, label, onclick) {
  return el(
    "button",
    {
      type: "button",
      class: "quiet",
      "aria-label": label,
      title: label,
      onclick,
    },
    text,
  );
}

/**
 * An element of index.html.
 * @param {string} id
 */
export function byId(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`index.html has no #${id}`);
  return element;
}

/** What colours are read from. */
let probe = /** @type {HTMLElement | null} */ (null);

/**
 * A colour of the theme as a canvas takes it: a custom property itself still
 * says `light-dark()`.
 * @param {string} name without the dashes
 */
export function themeColour(name) {
  if (probe === null) {
    probe = el("i", { hidden: true });
    document.body.append(probe);
  }
  probe.style.setProperty("color", `var(--${name})`);
  return getComputedStyle(probe).color;
}

/**
 * A name or value that a sender chose. Its direction does not change what is
 * around it, and one that can't be seen is marked.
 * @param {string} text
 * @param {string} [placeholder] shown instead of an empty text
 */
export function untrusted(text, placeholder = "") {
  if (text === "" && placeholder !== "")
    return el("bdi", { class: "unnamed" }, placeholder);
  const mark = startsWithinCharacter(text) ? "loose" : null;
  if (isBlank(text))
    return el("bdi", { class: "blank", "data-blank": texts.blank }, text);
  return el("bdi", { class: mark }, text);
}

/** How long a message stays in sight. */
const MESSAGE_TIME = 6000;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let messageTimer;

/** Says a text or an error: at the edge of the page, and to screen readers. @param {unknown} message */
export function announce(message) {
  const said = byId("said");
  said.textContent = toMessage(message);
  clearTimeout(messageTimer);
  messageTimer = setTimeout(() => said.replaceChildren(), MESSAGE_TIME);
}

/** The sentence of an error. @param {unknown} error */
export function toMessage(error) {
  return error instanceof Error ? error.message : String(error);
}

/**
 * Copies a text, and announces it.
 * @param {string} text
 * @param {string} label what the text is
 */
export async function copyText(text, label) {
  try {
    await navigator.clipboard.writeText(text);
    announce(texts.page.copied(label));
  } catch {
    // The clipboard needs a secure origin; the older command does not.
    const field = el("textarea", { class: "off", value: text });
    document.body.append(field);
    field.select();
    announce(
      document.execCommand("copy")
        ? texts.page.copied(label)
        : texts.page.notCopied(text),
    );
    field.remove();
  }
}
