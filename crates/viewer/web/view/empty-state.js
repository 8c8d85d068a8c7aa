// The list without traces: how to send some.

import { getApp } from "../api.js";
import { snippets } from "../model/snippets.js";
import { announce, copyText, el, toMessage } from "./dom.js";

/** The address of the app, without a slash at the end. */
const APP = new URL("..", location.href).href.replace(/\/$/, "");
/** Five a second. */
const INTERVAL = 200;

/** @param {() => void} onToggle called when sending begins or ends */
export function emptyState(onToggle) {
  /** @type {ReturnType<typeof setInterval> | undefined} */
  let timer;
  const said = el("p", { class: "note", role: "status" });
  const several = el(
    "button",
    { type: "button", "aria-pressed": "false", onclick: toggle },
    "Send five a second",
  );
  const code = el("code", {});
  const pre = el("pre", { class: "snippet", tabindex: 0 }, code);
  /** @type {HTMLSelectElement} */
  const choice = el(
    "select",
    { "aria-label": "Snippet", onchange: showSnippet },
    snippets("", 0).map(([name]) => el("option", { value: name }, name)),
  );
  const steps = el(
    "p",
    { class: "steps" },
    el(
      "button",
      { type: "button", class: "primary", onclick: () => send() },
      "Send a request",
    ),
    several,
    el("a", { class: "button", href: "#/try" }, "Choose what fails"),
  );
  const element = el(
    "div",
    { class: "first-steps" },
    el("p", {}, "No traces yet. They appear here as they arrive."),
    steps,
    said,
    el(
      "p",
      {},
      "A whole shop, eight services: ",
      el("code", {}, "tracing-tail up examples/shop/shop.toml"),
    ),
    el("p", {}, "Or send your own, with any OpenTelemetry exporter:"),
    el(
      "p",
      { class: "steps" },
      choice,
      el(
        "button",
        {
          type: "button",
          onclick: () => copyText(showSnippet(), choice.value),
        },
        "Copy",
      ),
    ),
    pre,
  );
  showSnippet();

  /** @returns {string} */
  function showSnippet() {
    const all = snippets(APP, Date.now());
    const [, text] = all.find(([name]) => name === choice.value) ?? all[0];
    code.textContent = text;
    return text;
  }

  function toggle() {
    if (timer === undefined) timer = setInterval(send, INTERVAL);
    else stop();
    const isOn = timer !== undefined;
    several.setAttribute("aria-pressed", String(isOn));
    several.textContent = isOn ? "Stop sending" : "Send five a second";
    onToggle();
  }

  function stop() {
    clearInterval(timer);
    timer = undefined;
  }

  async function send() {
    try {
      const { process } = await getApp();
      const response = await fetch(`..${process}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: '["item1", "item2"]',
      });
      said.textContent = `The last answer was ${response.status}.`;
    } catch (error) {
      said.textContent = toMessage(error);
      announce(error);
    }
  }

  return {
    element,
    /** Keeps the button that stops sending within reach, once there are traces. @param {HTMLElement | null} actions */
    placeStop(actions) {
      if (actions === null || timer === undefined)
        steps.insertBefore(several, steps.children[1]);
      else if (!actions.contains(several)) actions.prepend(several);
    },
    dispose: stop,
  };
}
