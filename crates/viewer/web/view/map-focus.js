// The keyboard and the pointer on the map: arrow keys go from node to node, Tab
// goes to the calls of a node, and what belongs to either stands out.

import { isArrow, neighbour } from "../model/neighbour.js";

/** @typedef {import('../model/layered.js').Rect} Rect */

/**
 * @param {SVGSVGElement} scene
 * @param {HTMLElement} frame around it: listeners for the focus would make it a stop for Tab
 * @param {ReturnType<typeof import('./map-picture.js').mapPicture>} picture
 * @param {(id: string) => void} onEnter the focus came to a node by keyboard
 */
export function mapFocus(scene, frame, picture, onEnter) {
  /** The node that the keyboard is at. @type {string | null} */
  let current = null;
  /** @type {Map<string, Rect>} */
  let rects = new Map();
  /** What stands out, with what it is connected to. @type {EventTarget | null} */
  let pointed = null;
  frame.addEventListener("focusin", ({ target, relatedTarget: from }) => {
    const id = nodeOf(target);
    if (id !== null) setCurrent(id);
    // Where the keyboard went: not what a click or the page has focused.
    const isWalked =
      from !== null &&
      target instanceof Element &&
      target.matches(":focus-visible");
    if (!isWalked) return;
    light(target);
    if (id !== null) onEnter(id);
  });
  frame.addEventListener("focusout", () => light(null));
  scene.addEventListener("pointerover", ({ target }) => light(target));
  scene.addEventListener("pointerleave", () => light(null));

  // The map is one stop for Tab, with the calls of the node after it.
  /** @param {string | null} id */
  function setCurrent(id) {
    current = id;
    for (const node of picture.nodes())
      node.setAttribute("tabindex", node.dataset.id === id ? "0" : "-1");
    for (const edge of picture.edges())
      edge.setAttribute("tabindex", isOf(edge, id) ? "0" : "-1");
  }

  function focus() {
    const node = picture.nodes().find(({ dataset }) => dataset.id === current);
    node?.focus({ preventScroll: true });
  }

  /** Marks a node or a call and what it is connected to. @param {EventTarget | null} target */
  function light(target) {
    pointed = target;
    const part = target instanceof Element ? partOf(target) : null;
    const id = part && nodeOf(part);
    const edge = part?.dataset.edge;
    scene.classList.toggle("lit", part !== null);
    const ends = new Set(edge === undefined ? [id] : endsOf(edge));
    const isLit = (/** @type {SVGAElement} */ one) =>
      id === null ? one.dataset.edge === edge : isOf(one, id);
    for (const one of [...picture.edges(), ...picture.lines()]) {
      const is = part !== null && isLit(one);
      one.classList.toggle("on", is);
      if (is) for (const end of endsOf(one.dataset.edge)) ends.add(end);
    }
    for (const node of picture.nodes())
      node.classList.toggle(
        "on",
        part !== null && ends.has(node.dataset.id ?? ""),
      );
  }

  return {
    focus,
    current: () => current,
    /** After the map was drawn. @param {Map<string, Rect>} drawn */
    update(drawn) {
      rects = drawn;
      const isKnown = current !== null && rects.has(current);
      setCurrent(isKnown ? current : (picture.nodes()[0]?.dataset.id ?? null));
      light(pointed instanceof Element && pointed.isConnected ? pointed : null);
    },
    /** @param {KeyboardEvent} event @returns {boolean} whether it was handled */
    onKey({ key }) {
      if (!isArrow(key) || current === null) return false;
      if (!scene.contains(document.activeElement)) return false;
      const next = neighbour(rects, current, key);
      if (next !== null) setCurrent(next);
      focus();
      return true;
    },
  };
}

/** The link of a node or a call around an element. @param {Element} target */
function partOf(target) {
  return /** @type {SVGAElement | null} */ (
    target.closest("[data-id], [data-edge]")
  );
}

/** @param {EventTarget | null} target */
function nodeOf(target) {
  const part = target instanceof Element ? partOf(target) : null;
  return part?.dataset.id ?? null;
}

/** @param {string | undefined} key @returns {string[]} caller and callee */
function endsOf(key) {
  return JSON.parse(key ?? "[]");
}

/** Whether a node is an end of a call. @param {SVGAElement} edge @param {string | null} id */
function isOf(edge, id) {
  return id !== null && endsOf(edge.dataset.edge).includes(id);
}
