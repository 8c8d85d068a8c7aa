// All of a trace in small, on a canvas: a line for each span.

import { colourClass } from "../model/colour.js";
import { texts } from "../texts.js";
import { el, themeColour } from "./dom.js";

/** @typedef {import('../types.d.ts').Trace} Trace */

/** The minimap, which is empty until a trace is shown. */
export function minimap() {
  /** @type {Trace | null} */
  let trace = null;
  const canvas = el("canvas", {});
  const left = el("div", { class: "shade" });
  const right = el("div", { class: "shade right" });
  const element = el(
    "div",
    {
      class: "minimap",
      role: "img",
      "aria-label": texts.timeline.minimap,
      title: texts.timeline.minimapTitle,
    },
    canvas,
    left,
    right,
  );
  const resizeObserver = new ResizeObserver(draw);
  resizeObserver.observe(element);
  const themeObserver = new MutationObserver(draw);
  themeObserver.observe(document.documentElement, {
    attributeFilter: ["data-theme"],
  });
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", draw);

  function draw() {
    const context = canvas.getContext("2d");
    if (trace === null || context === null) return;
    const { spans, services, duration_ns: total } = trace;
    const scale = devicePixelRatio;
    const width = (canvas.width = Math.round(element.clientWidth * scale));
    const height = (canvas.height = Math.round(element.clientHeight * scale));
    const colours = services.map((service) =>
      themeColour(colourClass(service)),
    );
    const bad = themeColour("bad");
    const line = Math.max(1, Math.min(4 * scale, height / spans.length));
    spans.forEach((span, index) => {
      const top = (index * (height - line)) / Math.max(1, spans.length - 1);
      const x = total > 0 ? (span.offset_ns * width) / total : 0;
      const length = total > 0 ? (span.duration_ns * width) / total : 0;
      context.fillStyle = span.error ? bad : colours[span.service];
      context.fillRect(x, top, Math.max(1, length), line);
    });
  }

  return {
    element,
    /** @param {Trace} shown */
    show(shown) {
      trace = shown;
      draw();
    },
    /** Shades what is not in sight. @param {number} from @param {number} to in percent */
    frame(from, to) {
      left.style.setProperty("width", `${from}%`);
      right.style.setProperty("width", `${Math.max(0, 100 - to)}%`);
    },
    dispose() {
      resizeObserver.disconnect();
      themeObserver.disconnect();
      dark.removeEventListener("change", draw);
    },
  };
}
