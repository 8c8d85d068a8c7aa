// The icicle: each span a box as wide as it is long, below its parent.

import { boxesOf, icicle, windowOf } from "../model/icicle.js";
import { LANE_HEIGHT, rowsToDraw } from "../model/geometry.js";
import { icicleBox, icicleCluster } from "./icicle-box.js";

/** @typedef {import('../types.d.ts').Trace} Trace */
/** @typedef {import('../types.d.ts').Drawing} Drawing */

/**
 * @param {object} parts
 * @param {import('../model/span-tree.js').SpanTree} parts.tree
 * @param {(window: import('../model/timeline.js').Window) => void} parts.onZoom
 * @returns {Drawing}
 */
export function icicleBoxes({ tree, onZoom }) {
  let layout = icicle([], []);
  /** @type {HTMLElement[]} */
  let drawn = [];
  let drawnRange = "";

  return {
    rowHeight: LANE_HEIGHT,
    layOut(trace) {
      layout = icicle(trace.spans, tree.rows);
      return layout.lanes.length;
    },
    draw(trace, { viewport, state, track }, isStale) {
      const range = rowsToDraw(viewport, layout.lanes.length, LANE_HEIGHT);
      const key = `${range.first} ${range.end}`;
      if (!isStale && key === drawnRange) return drawn;
      drawnRange = key;
      const boxes = boxesOf(layout, trace.spans, {
        range,
        window: state.window,
        width: track.width,
        chosen: tree.indexOf(state.selected),
      });
      // As the rows of the timeline, parents come before children.
      boxes.sort((one, other) => one.indices[0] - other.indices[0]);
      const path = tree.pathOf(state.selected);
      drawn = boxes.map((box) => {
        if (box.indices.length > 1)
          return icicleCluster(trace, box, state, () =>
            onZoom(windowOf(trace.spans, box.indices)),
          );
        const [index] = box.indices;
        return icicleBox(trace, box, {
          state,
          width: (box.width * track.width) / 100,
          isExpanded: !tree.isCollapsed(trace.spans[index].id),
          isAbove: path.has(index),
          siblings: tree.siblingsOf(index),
        });
      });
      return drawn;
    },
    rowOf(id) {
      const index = tree.visibleRow(id)?.index;
      const row = index === undefined ? undefined : layout.laneOf.get(index);
      return index === undefined || row === undefined
        ? undefined
        : { index, row };
    },
  };
}
