// The curves of links over a trace's chart: those of the span that is chosen or
// pointed at.

import { linkIndex } from "../model/link-index.js";
import { svg } from "./dom.js";
import { drawLinks } from "./links.js";

/** @typedef {import('../types.d.ts').Trace} Trace */

/**
 * @param {object} options
 * @param {(target: EventTarget | null) => string | null} options.spanAt the span that an element is part of
 * @param {() => void} options.onHover another span is pointed at
 * @param {(id: string) => void} options.onFollow
 */
export function linkLayer({ spanAt, onHover, onFollow }) {
  /** @type {Trace | null} */
  let trace = null;
  let links = linkIndex({ trace_id: "", spans: [] });
  /** @type {string | null} */
  let hovered = null;
  const element = svg("svg", { class: "lines" });

  // A curve that is pointed at stays.
  /** @param {PointerEvent} event */
  function hover({ type, target }) {
    if (target instanceof Element && target.closest(".link")) return;
    const id = type === "pointerleave" ? null : spanAt(target);
    if (id === hovered) return;
    hovered = id;
    onHover();
  }

  return {
    element,
    /** @param {HTMLElement} rows */
    follow(rows) {
      rows.addEventListener("pointerover", hover);
      rows.addEventListener("pointerleave", hover);
    },
    /** @param {Trace} shown */
    show(shown) {
      trace = shown;
      links = linkIndex(trace);
    },
    /**
     * @param {import('../types.d.ts').Drawing} drawing
     * @param {object} view
     * @param {string | null} view.selected
     * @param {boolean} view.isOn
     * @param {number} view.height in pixels
     * @param {ReturnType<typeof import('./timeline.js').timeline>} view.time
     */
    draw(drawing, { selected, isOn, height, time }) {
      const ends = isOn ? [selected, hovered] : [];
      const shown = new Set(ends.flatMap((id) => links.get(id ?? "") ?? []));
      // An empty one takes no room.
      element.setAttribute("height", "0");
      if (!trace || shown.size === 0) return element.replaceChildren();
      element.setAttribute("height", String(height));
      element.replaceChildren(
        ...drawLinks(trace, drawing, {
          links: [...shown],
          window: time.window(),
          track: time.track(),
          onFollow,
        }),
      );
    },
  };
}
