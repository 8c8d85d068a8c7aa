// The service map: a picture of who calls whom, and the same as a table.

import { getGraph } from "../api.js";
import { subscribe } from "../live.js";
import { count, duration } from "../model/format.js";
import { OVER_TIME } from "../model/graph-figures.js";
import { Refresher } from "../model/refresher.js";
import { callAddress, nodeAddress } from "../model/route.js";
import { texts } from "../texts.js";
import { announce, el, toMessage } from "./dom.js";
import { mapCanvas } from "./map-canvas.js";
import { mapLegend } from "./map-legend.js";
import { callTable } from "./map-table.js";

/** @typedef {import('../types.d.ts').Graph} Graph */

/** Between two updates. */
const PAUSE = 3000;

/** @type {import('../types.d.ts').OpenView} */
export function mapView(main) {
  let isDisposed = false;
  let drawn = "";
  const state = el("p", { class: "empty" }, texts.loading);
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
        "aria-label": texts.map.table,
      },
      table,
    ),
  );
  main.replaceChildren(
    el(
      "section",
      { class: "map" },
      el("h1", {}, texts.map.title),
      facts,
      state,
      content,
    ),
  );
  document.title = texts.page.title(texts.page.map);
  const refresher = new Refresher(refresh, PAUSE);
  const unsubscribe = subscribe(() => refresher.request());
  refresher.request();

  /** @returns {Promise<boolean>} whether it has worked */
  async function refresh() {
    try {
      const graph = await getGraph();
      if (isDisposed) return true;
      const text = JSON.stringify(graph);
      if (text !== drawn || !state.hidden) draw(graph);
      drawn = text;
      return true;
    } catch (error) {
      announce(error);
      state.hidden = false;
      state.textContent = toMessage(error);
      return false;
    }
  }

  /** @param {Graph} graph */
  function draw(graph) {
    const isEmpty = graph.nodes.length === 0;
    state.hidden = !isEmpty;
    state.textContent = texts.noTraces;
    content.hidden = isEmpty;
    facts.textContent = isEmpty ? "" : describe(graph);
    canvas.show(graph);
    table.replaceChildren(...(graph.edges.length > 0 ? callTable(graph) : []));
  }

  return {
    onKey: canvas.onKey,
    dispose() {
      isDisposed = true;
      unsubscribe();
      refresher.stop();
      canvas.dispose();
    },
  };
}

/** @param {Graph} graph */
function describe({ traces, seconds }) {
  return texts.map.from(count(traces, "trace"), duration(seconds * 1e9));
}
