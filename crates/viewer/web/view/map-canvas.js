// The map as a picture to hold: it is laid out when its shape changes, and can be
// zoomed and moved.

import { boxesOf, shapeOf } from "../model/graph-boxes.js";
import {
  firstSight,
  fitAll,
  moveBy,
  reveal,
  zoomBy,
} from "../model/viewport.js";
import { texts } from "../texts.js";
import { announce, el, svg } from "./dom.js";
import { mapFocus } from "./map-focus.js";
import { holdPicture } from "./map-gestures.js";
import { textMeasure } from "./map-parts.js";
import { mapPicture } from "./map-picture.js";

/** @typedef {import('../types.d.ts').Graph} Graph */
/** @typedef {import('../model/graph-layout.js').Layout} Layout */
/** @typedef {import('../model/viewport.js').Viewport} Viewport */

const IN = 1.25;
/** How far an arrow key with Shift moves, in pixels. @type {Record<string, [number, number]>} */
const STEPS = {
  ArrowLeft: [80, 0],
  ArrowRight: [-80, 0],
  ArrowUp: [0, 80],
  ArrowDown: [0, -80],
};

/** @param {import('./map-picture.js').MapStyle} style */
export function mapCanvas(style) {
  /** @type {Graph | null} */
  let graph = null;
  /** @type {import('../model/graph-boxes.js').Boxes | undefined} */
  let boxes;
  /** @type {Layout | null} */
  let layout = null;
  /** The shape that is laid out. */
  let laidOut = "";
  let isUpright = false;
  /** @type {Viewport} */
  let viewport = { x: 0, y: 0, scale: 1 };
  /** Whether somebody has moved or zoomed it. */
  let isHeld = false;
  /** Whether it takes the focus once it is drawn. */
  let isAwaited = false;
  // Loaded with the first map: the list and the waterfall do without.
  /** @type {Promise<typeof import('../model/graph-layout.js').layOut> | null} */
  let layouts = null;

  const picture = mapPicture(style);
  const scene = svg(
    "svg",
    {
      class: "scene",
      role: "group",
      "aria-label": texts.map.label,
    },
    picture.element,
  );
  const element = el(
    "div",
    { class: "map-canvas" },
    el(
      "div",
      { class: "map-buttons", role: "group", "aria-label": texts.map.zoom },
      button("+", texts.timeline.zoomIn, () => zoom(IN)),
      button("−", texts.timeline.zoomOut, () => zoom(1 / IN)),
      button(texts.map.fit, texts.map.fitTitle, fit),
    ),
    scene,
  );
  const focus = mapFocus(scene, element, picture, bringIntoSight);
  holdPicture(scene, { onMove: move, onZoom: zoom });
  const measure = textMeasure();
  const resizeObserver = new ResizeObserver(draw);
  resizeObserver.observe(element);

  function size() {
    return { width: scene.clientWidth, height: scene.clientHeight };
  }

  async function draw() {
    const { width } = size();
    if (graph === null || width === 0) return;
    boxes = boxesOf(graph, style.figures, measure, boxes);
    const shape = shapeOf(graph, boxes, width);
    const text = JSON.stringify(shape);
    if (text !== laidOut) {
      const layOut = await loadLayout();
      if (layOut === null) return;
      laidOut = text;
      isUpright = shape.isUpright;
      keepInPlace(layOut(shape));
    }
    if (layout === null) return;
    const hadFocus = isAwaited || scene.contains(document.activeElement);
    isAwaited = false;
    picture.show(graph, boxes, layout, isUpright);
    focus.update(layout.rects);
    if (hadFocus && !scene.contains(document.activeElement)) focus.focus();
    place();
  }

  async function loadLayout() {
    try {
      layouts ??= import("../model/graph-layout.js").then(
        ({ layOut }) => layOut,
      );
      return await layouts;
    } catch (error) {
      // The next update tries again.
      layouts = null;
      announce(error);
      return null;
    }
  }

  // Where somebody looks at a part of it, what the keyboard is at does not move.
  /** @param {Layout} next */
  function keepInPlace(next) {
    const [before, after] = [layout, next].map((one) =>
      one?.rects.get(focus.current() ?? ""),
    );
    if (isHeld && before && after) {
      viewport.x += (before.x - after.x) * viewport.scale;
      viewport.y += (before.y - after.y) * viewport.scale;
    }
    layout = next;
    element.style.setProperty("--map-height", `${Math.ceil(layout.height)}px`);
  }

  function place() {
    if (layout === null) return;
    if (!isHeld)
      viewport = firstSight(layout, size(), beginning(layout), isUpright);
    const { x, y, scale } = viewport;
    picture.element.setAttribute(
      "transform",
      `translate(${x} ${y}) scale(${scale})`,
    );
  }

  // Where requests enter: the first node in reading order.
  /** @param {Layout} layout */
  function beginning({ rects }) {
    const first = rects.get(picture.nodes()[0]?.dataset.id ?? "");
    return first
      ? { x: first.x + first.width / 2, y: first.y + first.height / 2 }
      : { x: 0, y: 0 };
  }

  /** @param {Viewport} next */
  function hold(next) {
    isHeld = true;
    viewport = next;
    place();
  }

  /** @param {number} factor @param {import('../model/graph-groups.js').Point} [at] */
  function zoom(factor, at) {
    const { width, height } = size();
    hold(zoomBy(viewport, factor, at ?? { x: width / 2, y: height / 2 }));
  }

  function fit() {
    if (layout) hold(fitAll(layout, size()));
  }

  /** @param {import('../model/graph-groups.js').Point} by */
  function move(by) {
    if (layout) hold(moveBy(viewport, by, layout, size()));
  }

  /** @param {string} id */
  function bringIntoSight(id) {
    const rect = layout?.rects.get(id);
    const next = rect && reveal(viewport, rect, size());
    if (next && (next.x !== viewport.x || next.y !== viewport.y)) hold(next);
  }

  return {
    element,
    /** @param {Graph} shown */
    show(shown) {
      graph = shown;
      return draw();
    },
    focus() {
      isAwaited = layout === null;
      focus.focus();
    },
    /** @param {KeyboardEvent} event @returns {boolean} whether it was handled */
    onKey(event) {
      const { key, shiftKey } = event;
      if (key === "+" || key === "=") zoom(IN);
      else if (key === "-") zoom(1 / IN);
      else if (key === "0") fit();
      else if (shiftKey && key in STEPS) {
        const [x, y] = STEPS[key];
        move({ x, y });
      } else return focus.onKey(event);
      return true;
    },
    dispose() {
      resizeObserver.disconnect();
    },
  };
}

/** @param {string} text @param {string} label @param {() => void} onclick */
function button(text, label, onclick) {
  return el(
    "button",
    { type: "button", "aria-label": label, title: label, onclick },
    text,
  );
}
