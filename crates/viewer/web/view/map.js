// The service map: a picture of who calls whom, and the same as a table.

import { getGraph } from "../api.js";
import { count, duration } from "../model/format.js";
import { texts } from "../texts.js";
import { announce, el, toMessage } from "./dom.js";
import { drawGraph } from "./map-picture.js";
import { callTable } from "./map-table.js";

/** @typedef {import('../types.d.ts').Graph} Graph */

const POLL = 3000;

/** @type {import('../types.d.ts').OpenView} */
export function mapView(main) {
  let isDisposed = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let drawn = "";
  const state = el("p", { class: "empty" }, texts.loading);
  const picture = el("div", {
    class: "picture",
    tabindex: "0",
    role: "group",
    "aria-label": texts.map.label,
  });
  const facts = el("p", { class: "facts" });
  const table = el("table", { class: "edges" });
  main.replaceChildren(
    el(
      "section",
      { class: "map" },
      el("h1", {}, texts.map.title),
      facts,
      state,
      picture,
      table,
    ),
  );
  document.title = texts.page.title(texts.page.map);
  poll();

  async function poll() {
    try {
      const graph = await getGraph();
      if (isDisposed) return;
      const text = JSON.stringify(graph);
      if (text !== drawn) draw(graph);
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
    state.textContent = texts.noTraces;
    facts.textContent = isEmpty ? "" : describe(graph);
    picture.replaceChildren(...(isEmpty ? [] : [drawGraph(graph)]));
    table.replaceChildren(...(graph.edges.length > 0 ? callTable(graph) : []));
  }

  return {
    dispose() {
      isDisposed = true;
      clearTimeout(timer);
    },
  };
}

/** @param {Graph} graph */
function describe({ traces, seconds }) {
  return texts.map.from(count(traces, "trace"), duration(seconds * 1e9));
}
