// The head of the list: its columns, by which it can be sorted.

import { nextSort } from "../model/live-list.js";
import { texts } from "../texts.js";
import { el } from "./dom.js";

const COLUMNS = [
  ["start", texts.list.started],
  ["name", texts.list.trace],
  ["status", texts.status],
  ["", texts.list.services],
  ["spans", texts.list.spans],
  ["errors", texts.list.errors],
  ["duration", texts.duration],
];

/** @param {(sort: string) => void} onSort */
export function listHead(onSort) {
  let sort = "";
  const buttons = COLUMNS.map(([name, label]) => {
    if (!name) return el("span", { class: "column" }, label);
    const button = el("button", {
      type: "button",
      class: "column quiet",
      onclick: () => onSort(nextSort(sort, name)),
    });
    button.dataset.column = name;
    return button;
  });

  /** @param {string} current */
  function show(current) {
    sort = current;
    buttons.forEach((button, index) => {
      const [name, label] = COLUMNS[index];
      if (!name) return;
      const isSorted = sort.replace("-", "") === name;
      const down = sort.startsWith("-");
      const mark = down ? " ↓" : " ↑";
      button.textContent = isSorted ? label + mark : label;
      button.setAttribute(
        "aria-label",
        isSorted ? texts.list.sorted(label, down) : texts.list.notSorted(label),
      );
    });
  }

  show("");
  return {
    element: el(
      "div",
      { class: "columns", role: "group", "aria-label": texts.list.sortBy },
      buttons,
    ),
    show,
  };
}
