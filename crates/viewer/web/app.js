// The page's frame: which view is shown, keyboard shortcuts, the theme, and the
// counts at the top.

import { getCounts } from "./api.js";
import { bytes, count, shortTimestamp, toMillis } from "./model/format.js";
import { parseRoute } from "./model/route.js";
import { announce, byId } from "./view/dom.js";
import { listView } from "./view/list.js";
import { mapView } from "./view/map.js";
import { traceView } from "./view/trace.js";
import { tryView } from "./view/try.js";

const COUNTS_POLL = 3000;

/** The views by the first segment of the address, and the link of each. */
const VIEWS = new Map([
  ["", { open: listView, link: "list" }],
  ["trace", { open: traceView, link: "list" }],
  ["map", { open: mapView, link: "map" }],
  ["try", { open: tryView, link: "try" }],
]);

const main = byId("main");
const shortcuts = /** @type {HTMLDialogElement} */ (byId("keys"));
/** @type {{ name: string, view: import('./types.d.ts').View } | null} */
let current = null;

setTheme(localStorage.getItem("theme"));
addEventListener("hashchange", showRoute);
showRoute();
showCounts();
setInterval(() => {
  if (!document.hidden) showCounts();
}, COUNTS_POLL);

function showRoute() {
  const { name, segments, query } = parseRoute(location.hash);
  if (current?.name === name && current.view.navigate?.(segments)) return;
  current?.view.dispose();
  const known = VIEWS.get(name);
  current = { name, view: (known?.open ?? listView)(main, segments, query) };
  for (const link of document.querySelectorAll("[data-view]")) {
    if (link.getAttribute("data-view") === known?.link)
      link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

async function showCounts() {
  try {
    const counts = await getCounts();
    const parts = [
      count(counts.traces, "trace"),
      count(counts.spans, "span"),
      bytes(counts.bytes),
    ];
    byId("held").textContent = parts.join(" · ");
    const lost = byId("lost");
    lost.hidden = counts.turned_away === 0;
    const since = shortTimestamp(toMillis(counts.since), Date.now());
    lost.textContent = `${count(counts.turned_away, "export")} turned away since ${since}`;
  } catch (error) {
    announce(error);
  }
}

/** @param {string | null} theme */
function setTheme(theme) {
  if (theme === "light" || theme === "dark")
    document.documentElement.dataset.theme = theme;
}

byId("theme").addEventListener("click", () => {
  const chosen = document.documentElement.dataset.theme;
  const isDark = chosen
    ? chosen === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  const theme = isDark ? "light" : "dark";
  setTheme(theme);
  localStorage.setItem("theme", theme);
});

byId("help").addEventListener("click", () => shortcuts.showModal());

document.querySelector(".skip")?.addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || shortcuts.open) return;
  const field = textField(event.target);
  if (field) {
    if (event.key === "Escape") field.blur();
  } else if (handleShortcut(event) || current?.view.onKey?.(event)) {
    event.preventDefault();
  }
});

/** The field that takes a key as text. @param {EventTarget | null} target */
function textField(target) {
  if (!(target instanceof Element)) return null;
  return /** @type {HTMLElement | null} */ (
    target.closest("input:not([type=checkbox]), textarea, select")
  );
}

// The shortcuts that every view has.
/** @param {KeyboardEvent} event @returns {boolean} whether it was one */
function handleShortcut(event) {
  if (event.key === "?") {
    shortcuts.showModal();
    return true;
  }
  if (event.key !== "/") return false;
  const search = /** @type {HTMLElement | null} */ (
    main.querySelector("[type=search]")
  );
  search?.focus();
  return search !== null;
}
