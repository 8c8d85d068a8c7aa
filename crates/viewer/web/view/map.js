// The service map: a picture of who calls whom, and the same as a table.

import { getGraph } from "../api.js";
import { OVER_TIME } from "../model/graph-figures.js";
import { count, duration } from "../model/format.js";
import { callAddress, nodeAddress } from "../model/route.js";
import { announce, el, toMessage } from "./dom.js";
import { mapCanvas } from "./map-canvas.js";
import { mapLegend } from "./map-legend.js";
import { callTable } from "./map-table.js";

/** @typedef {import('../types.d.ts').Graph} Graph */

const POLL = 3000;

/** @type {import('../types.d.ts').OpenView} */
export function mapView(main) {
  let isDisposed = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let drawn = "";
  const state = el("p", { class: "empty" }, "Loading…");
  const canvas = mapCanvas({
    figures: OVER_TIME,
    nodeAddress,
    edgeAddress: callAddress,
  });
  const facts = el("p", { class: "facts" });
  const table = el("table", { class: "edges" });
  const content = el(
    "div",
    { hidden: true },
    canvas.element,
    mapLegend(),
    el(
      "div",
      {
        class: "wide-edges",
        tabindex: "0",
        role: "group",
        "aria-label": "Calls",
      },
      table,
    ),
  );
  main.replaceChildren(
    el(
      "section",
      { class: "map" },
      el("h1", {}, "Who calls whom"),
      facts,
      state,
      content,
    ),
  );
  document.title = "Map · Tracing-Tail";
  poll();

  async function poll() {
    try {
      const graph = await getGraph();
      if (isDisposed) return;
      const text = JSON.stringify(graph);
      if (text !== drawn || !state.hidden) draw(graph);
      drawn = text;
    } catch (error) {
      announce(error);
      state.hidden = false;
      state.textContent = toMessage(error);
    }
    if (!isDisposed) timer = setTimeout(poll, POLL);
  }

  /** @param {Graph} graph */
  function draw(graph) {
    const isEmpty = graph.nodes.length === 0;
    state.hidden = !isEmpty;
    state.textContent = "No traces yet.";
    content.hidden = isEmpty;
    facts.textContent = isEmpty ? "" : describe(graph);
    canvas.show(graph);
    table.replaceChildren(...(graph.edges.length > 0 ? callTable(graph) : []));
  }

  return {
    onKey: canvas.onKey,
    dispose() {
      isDisposed = true;
      clearTimeout(timer);
      canvas.dispose();
    },
  };
}

/** @param {Graph} graph */
function describe({ traces, seconds }) {
  return (
    `From the newest ${count(traces, "trace")}, over ${duration(seconds * 1e9)}. ` +
    "Choose a node or a call to see its traces."
  );
}
