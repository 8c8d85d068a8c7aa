// The list without traces: how to send some.

import { appAddress, getApp } from "../api.js";
import { snippets } from "../model/snippets.js";
import { texts } from "../texts.js";
import { copyButton } from "./copy-button.js";
import { announce, el, toMessage } from "./dom.js";

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
    texts.empty.sendMany,
  );
  const code = el("code", {});
  const pre = el("pre", { class: "snippet", tabindex: 0 }, code);
  /** @type {HTMLSelectElement} */
  const choice = el(
    "select",
    { "aria-label": texts.empty.snippet, onchange: showSnippet },
    snippets("", 0).map(([name]) => el("option", { value: name }, name)),
  );
  const steps = el(
    "p",
    { class: "steps" },
    el(
      "button",
      { type: "button", class: "primary", onclick: () => send() },
      texts.empty.sendOne,
    ),
    several,
    el("a", { class: "button", href: "#/try" }, texts.empty.choose),
  );
  const element = el(
    "div",
    { class: "first-steps" },
    el("p", {}, texts.empty.title),
    steps,
    said,
    el(
      "p",
      {},
      texts.empty.shop,
      " ",
      el("code", {}, "tracing-tail up examples/shop/shop.toml"),
    ),
    el("p", {}, texts.empty.own),
    el(
      "p",
      { class: "steps" },
      choice,
      copyButton(showSnippet, texts.empty.snippet, { class: "" }),
    ),
    pre,
  );
  showSnippet();

  /** @returns {string} */
  function showSnippet() {
    const all = snippets(appAddress(), Date.now());
    const [, text] = all.find(([name]) => name === choice.value) ?? all[0];
    code.textContent = text;
    return text;
  }

  function toggle() {
    if (timer === undefined) timer = setInterval(send, INTERVAL);
    else stop();
    const isOn = timer !== undefined;
    several.setAttribute("aria-pressed", String(isOn));
    several.textContent = isOn ? texts.empty.stop : texts.empty.sendMany;
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
      said.textContent = texts.empty.answer(response.status);
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
