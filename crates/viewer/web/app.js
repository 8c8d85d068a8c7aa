// The page's frame: which view is shown, keyboard shortcuts, theme and language,
// and the counts at the top.

import { getApp } from "./api.js";
import { subscribe } from "./live.js";
import { bytes, count, shortTimestamp, toMillis } from "./model/format.js";
import { parseRoute } from "./model/route.js";
import { texts } from "./texts.js";
import { byId } from "./view/dom.js";
import { languageMenu, showTexts } from "./view/frame.js";
import { mapView } from "./view/map.js";
import { tryView } from "./view/try.js";
import { windowView } from "./view/window.js";

/**
 * The views by the first segment of the address, and the link of each. The list
 * and a trace share a window.
 * @type {Map<string, Shown>}
 */
const VIEWS = new Map([
  ["", { open: windowView, link: "list" }],
  ["map", { open: mapView, link: "map" }],
  ["try", { open: tryView, link: "try" }],
]);

/** @typedef {{ open: import('./types.d.ts').OpenView, link: string }} Shown */

const main = byId("main");
const shortcuts = /** @type {HTMLDialogElement} */ (byId("keys"));
/** @type {{ name: string, view: import('./types.d.ts').View } | null} */
let current = null;

showTexts();
byId("help").before(languageMenu());
setTheme(localStorage.getItem("theme"));
// It comes with every other address, a fragment's too.
addEventListener("popstate", showRoute);
showRoute();
subscribe(({ counts, failure }) => {
  const gone = byId("gone");
  if (counts) showCounts(counts);
  else gone.textContent = texts.page.old(failure ?? "");
  gone.hidden = counts !== undefined;
});

// What does not change while the page is open. Where it can't be had, the rest says why.
getApp().then(
  (app) => (byId("in-memory").hidden = !app.in_memory),
  () => {},
);

function showRoute() {
  const route = parseRoute(location.hash);
  const isTrace = route.name === "trace";
  const known = VIEWS.has(route.name) ? route.name : "";
  // A link to the list says what to filter by. The list keeps it where it stays
  // while a trace is open.
  if (!isTrace && known === "" && route.query.size > 0)
    history.replaceState(null, "", `${location.pathname}?${route.query}#/`);
  const segments = isTrace || known !== "" ? route.segments : [];
  const isShown = current?.name === known;
  if (isShown && current?.view.navigate?.(segments, route.query)) return;
  current?.view.dispose();
  const { open, link } = /** @type {Shown} */ (VIEWS.get(known));
  current = { name: known, view: open(main, segments, route.query) };
  for (const one of document.querySelectorAll("[data-view]")) {
    if (one.getAttribute("data-view") === link)
      one.setAttribute("aria-current", "page");
    else one.removeAttribute("aria-current");
  }
}

/** @param {import('./types.d.ts').StoreCounts} counts */
function showCounts(counts) {
  const parts = [
    count(counts.traces, "trace"),
    count(counts.spans, "span"),
    bytes(counts.bytes),
  ];
  byId("held").textContent = parts.join(" · ");
  const lost = byId("lost");
  lost.hidden = counts.turned_away === 0;
  const since = shortTimestamp(toMillis(counts.since), Date.now());
  lost.textContent = texts.page.turnedAway(
    count(counts.turned_away, "export"),
    since,
  );
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
  // That of the pane with the focus comes first.
  const pane = document.activeElement?.closest(".trace-pane") ?? main;
  const fields = /** @type {HTMLElement[]} */ ([
    ...pane.querySelectorAll("[type=search]"),
  ]);
  const search = fields.find((field) => field.checkVisibility());
  search?.focus();
  return search !== undefined;
}
