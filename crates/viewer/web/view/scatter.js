// The listed traces as a picture: duration over time. A circle is a trace without
// errors, a cross one with errors. A region that is drawn filters the list.

import { duration, integer, shortTimestamp } from "../model/format.js";
import {
  hasPlace,
  place,
  rangeOf,
  regionFilters,
} from "../model/list-stats.js";
import { texts } from "../texts.js";
import { el, themeColour } from "./dom.js";

/** @typedef {import('../types.d.ts').TraceSummary} TraceSummary */
/** @typedef {{ x: number, y: number }} Place */

/** Space around the points, in pixels; on the left there are labels. */
const EDGE = 8;
const LEFT = 84;
/** How far a pointer moves at least for a region, and how near it hits a point. */
const NEAR = 6;

/**
 * @param {{
 *   onRegion: (filters: ReturnType<typeof regionFilters>) => void,
 *   onOpen: (summary: TraceSummary) => void,
 * }} handlers
 */
export function scatter({ onRegion, onOpen }) {
  /** @type {TraceSummary[]} */
  let traces = [];
  /** @type {ReturnType<typeof rangeOf>} */
  let range = null;
  /** @type {{ start: Place, end: Place } | null} in pixels */
  let region = null;
  let isScheduled = false;

  const canvas = el("canvas", {
    class: "scatter",
    role: "img",
    title: texts.scatter.title,
    onpointerdown: startRegion,
    onpointermove: extendRegion,
    onpointerup: endRegion,
    onpointercancel: cancel,
  });
  const top = el("span", { class: "scatter-top" });
  const bottom = el("span", { class: "scatter-bottom" });
  const left = el("span", {});
  const right = el("span", {});
  const leftOut = el("span", {
    title: texts.scatter.leftOutTitle,
  });
  const element = el(
    "figure",
    { class: "scatter-frame" },
    canvas,
    top,
    bottom,
    el("figcaption", {}, left, el("span", {}, legend()), right),
  );
  const observer = new ResizeObserver(schedule);
  observer.observe(canvas);
  // What is drawn does not follow the colours by itself.
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const theme = new MutationObserver(schedule);
  dark.addEventListener("change", schedule);
  theme.observe(document.documentElement, { attributeFilter: ["data-theme"] });

  function legend() {
    return [
      `${texts.scatter.axes} · `,
      el("span", { class: "good" }, "○"),
      ` ${texts.noErrors} · `,
      el("span", { class: "bad" }, "✕"),
      ` ${texts.errors} · ${texts.scatter.hint}`,
      leftOut,
    ];
  }

  function schedule() {
    if (isScheduled) return;
    isScheduled = true;
    requestAnimationFrame(() => {
      isScheduled = false;
      draw();
    });
  }

  function draw() {
    const { clientWidth: width, clientHeight: height } = canvas;
    const pen = canvas.getContext("2d");
    if (!pen || width === 0) return;
    const density = devicePixelRatio || 1;
    canvas.width = width * density;
    canvas.height = height * density;
    pen.scale(density, density);
    const good = themeColour("accent");
    const bad = themeColour("bad");
    if (range === null) return;
    // Errors come last, on top.
    for (const failed of [false, true]) {
      pen.strokeStyle = failed ? bad : good;
      pen.lineWidth = failed ? 2 : 1.3;
      pen.beginPath();
      for (const summary of traces) {
        if (summary.errors > 0 !== failed) continue;
        const { x, y } = toPixels(summary);
        if (failed) {
          pen.moveTo(x - 3.5, y - 3.5);
          pen.lineTo(x + 3.5, y + 3.5);
          pen.moveTo(x - 3.5, y + 3.5);
          pen.lineTo(x + 3.5, y - 3.5);
        } else {
          pen.moveTo(x + 3, y);
          pen.arc(x, y, 3, 0, 2 * Math.PI);
        }
      }
      pen.stroke();
    }
    if (region === null) return;
    const { start, end } = region;
    pen.strokeStyle = themeColour("text");
    pen.setLineDash([4, 3]);
    pen.lineWidth = 1;
    pen.strokeRect(start.x, start.y, end.x - start.x, end.y - start.y);
  }

  /** @param {TraceSummary} summary @returns {Place} */
  function toPixels(summary) {
    const { x, y } = place(
      /** @type {NonNullable<typeof range>} */ (range),
      summary,
    );
    return {
      x: LEFT + x * (canvas.clientWidth - LEFT - EDGE),
      y: canvas.clientHeight - EDGE - y * (canvas.clientHeight - 2 * EDGE),
    };
  }

  /** @param {Place} pixels */
  function toPlace({ x, y }) {
    const width = canvas.clientWidth - LEFT - EDGE;
    const height = canvas.clientHeight - 2 * EDGE;
    return { x: (x - LEFT) / width, y: 1 - (y - EDGE) / height };
  }

  /** @param {PointerEvent} event @returns {Place} */
  function at({ offsetX, offsetY }) {
    return { x: offsetX, y: offsetY };
  }

  /** @param {PointerEvent} event */
  function startRegion(event) {
    if (event.button !== 0 || range === null) return;
    canvas.setPointerCapture(event.pointerId);
    region = { start: at(event), end: at(event) };
  }

  /** @param {PointerEvent} event */
  function extendRegion(event) {
    if (region === null) return;
    region.end = at(event);
    schedule();
  }

  /** @param {PointerEvent} event */
  function endRegion(event) {
    if (region === null || range === null) return;
    const { start } = region;
    const end = at(event);
    cancel();
    if (distance(start, end) >= NEAR)
      onRegion(regionFilters(range, toPlace(start), toPlace(end)));
    else openNearest(end);
  }

  function cancel() {
    region = null;
    schedule();
  }

  /** @param {Place} point */
  function openNearest(point) {
    const near = traces
      .map((summary) => ({ summary, far: distance(toPixels(summary), point) }))
      .sort((one, other) => one.far - other.far)[0];
    if (near && near.far <= 2 * NEAR) onOpen(near.summary);
  }

  return {
    element,
    /** @param {TraceSummary[]} shown @param {string} description */
    show(shown, description) {
      traces = shown.filter((one) => hasPlace(one, Date.now()));
      const many = shown.length - traces.length;
      leftOut.textContent =
        many > 0 ? ` · ${texts.scatter.leftOut(integer(many))}` : "";
      // A region that is being drawn keeps its scale.
      if (region === null) range = rangeOf(traces);
      element.hidden = range === null;
      canvas.setAttribute("aria-label", texts.scatter.label(description));
      if (range) {
        top.textContent = duration(Math.round(range.max));
        bottom.textContent = duration(Math.round(range.min));
        left.textContent = clock(range.from);
        right.textContent = clock(range.to);
      }
      schedule();
    },
    dispose() {
      observer.disconnect();
      theme.disconnect();
      dark.removeEventListener("change", schedule);
    },
  };
}

/** @param {number} ms */
function clock(ms) {
  return shortTimestamp(ms, Date.now());
}

/** @param {Place} one @param {Place} other */
function distance(one, other) {
  return Math.hypot(one.x - other.x, one.y - other.y);
}
