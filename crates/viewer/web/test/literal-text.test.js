import { RuleTester } from "eslint";
import test from "node:test";

import { noLiteralText } from "../../lint/no-literal-text.js";

RuleTester.describe = (_, run) => run();
RuleTester.it = (name, run) => void test(name, run);

const shown = (/** @type {string} */ code) => ({
  code,
  errors: [{ messageId: "literal" }],
});

new RuleTester().run(
  "what is shown comes from the page's texts",
  noLiteralText,
  {
    valid: [
      'el("p", { class: "note warn" }, texts.list.badQuery);',
      'el("p", {}, " · ", kind === "queue" ? one : other);',
      'document.querySelector(".rows .row");',
      'import { el } from "./dom.js";',
      'if (key === "ArrowDown") step();',
      'throw new Error("index.html has no element");',
      'query.append("attribute", value);',
      'svg("path", { d: `M${x} 0l5 10z` });',
      'count(2, "other span");',
      'el("input", { placeholder: "service=shop status>=500 name=a" });',
      'context.font = "600 14px system-ui";',
    ],
    invalid: [
      shown('el("p", {}, "copied");'),
      shown('el("p", {}, isOn ? "Stop" : texts.empty.sendMany);'),
      shown("el('p', {}, [`${number} found`]);"),
      shown('el("a", { title: "open" });'),
      shown('el("input", { "aria-label": "query" });'),
      shown('button.textContent = "copied";'),
      shown('announce("deleted");'),
      shown('const TITLE = "Map";'),
      shown('const parts = ["no traces"];'),
      shown('el("input", { placeholder: "Find spans: status=error" });'),
      shown('node.setAttribute("aria-label", "map");'),
    ],
  },
);
