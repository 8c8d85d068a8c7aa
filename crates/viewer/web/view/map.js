// The service map: a picture of who calls whom, and the same as a table.

import { getGraph } from "../api.js";
import { count, duration } from "../model/format.js";
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
  const state = el("p", { class: "empty" }, "Loading…");
  const picture = el("div", {
    class: "picture",
    tabindex: "0",
    role: "group",
    "aria-label": "Map of services, queues and stores",
  });
  const facts = el("p", { class: "facts" });
  const table = el("table", { class: "edges" });
  main.replaceChildren(
    el(
      "section",
      { class: "map" },
      el("h1", {}, "Who calls whom"),
      facts,
      state,
      picture,
      table,
    ),
  );
  document.title = "Map · Tracing-Tail";
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
    state.textContent = "No traces yet.";
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
  return (
    `From the newest ${count(traces, "trace")}, over ${duration(seconds * 1e9)}. ` +
    "Choose a node or a call to see its traces."
  );
}
