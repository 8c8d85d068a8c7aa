// The service map as a table.

import { duration, errorPercentage, integer, rate } from "../model/format.js";
import { callAddress } from "../model/route.js";
import { texts } from "../texts.js";
import { el, untrusted } from "./dom.js";

/** @typedef {import('../types.d.ts').Graph} Graph */
/** @typedef {import('../types.d.ts').GraphEdge} GraphEdge */

/** @param {Graph} graph */
export function callTable({ nodes, edges }) {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const nameOf = (/** @type {string} */ id) => {
    const node = byId.get(id);
    if (!node || node.kind === "service") return untrusted(id);
    const system = node.system === node.name ? "" : node.system;
    return [
      untrusted(node.name),
      el(
        "span",
        { class: "what" },
        " ",
        texts.peers[node.kind],
        " ",
        untrusted(system),
      ),
    ];
  };
  const address = (/** @type {GraphEdge} */ edge) => {
    const [from, to] = [byId.get(edge.caller), byId.get(edge.callee)];
    if (!from || !to) return nameOf(edge.callee);
    return el("a", { href: callAddress(edge, from, to) }, nameOf(edge.callee));
  };
  return [
    el("caption", {}, texts.map.table),
    el(
      "thead",
      {},
      el(
        "tr",
        {},
        texts.map.columns.map((name) => el("th", { scope: "col" }, name)),
      ),
    ),
    el(
      "tbody",
      {},
      edges.map((edge) =>
        el(
          "tr",
          {},
          el("td", {}, nameOf(edge.caller)),
          el("td", {}, address(edge)),
          el("td", {}, integer(edge.count)),
          el("td", {}, rate(edge)),
          el("td", { class: edge.errors ? "bad" : "" }, errorPercentage(edge)),
          [edge.p50_ns, edge.p95_ns, edge.p99_ns].map((ns) =>
            el("td", {}, duration(ns)),
          ),
        ),
      ),
    ),
  ];
}
