// A form that sends a request to the app, and opens the trace of its response.

import { getApp, getServices, getTraces } from "../api.js";
import { parseReport } from "../model/report.js";
import {
  buildRequest,
  indentJson,
  responseTraceId,
} from "../model/try-request.js";
import { announce, el, toMessage } from "./dom.js";
import { reportView } from "./report.js";

/** In milliseconds: as long as batching and retries may take. */
const ARRIVAL_TIMEOUT = 20000;
const ARRIVAL_POLL = 150;

/** @type {import('../types.d.ts').OpenView} */
export function tryView(main) {
  let isDisposed = false;
  const services = el("datalist", { id: "services" });
  const outcome = el("div", { class: "outcome", role: "status" });
  const send = el("button", { class: "primary" }, "Send");
  const form = el(
    "form",
    { class: "try", onsubmit: submit },
    ...fields(),
    send,
    services,
  );
  main.replaceChildren(
    el(
      "section",
      { class: "form" },
      el("h1", {}, "Try it"),
      el(
        "p",
        { class: "facts" },
        "Sends a request to this app, and opens the trace as soon as it arrives; with a report it stays here.",
      ),
      form,
      outcome,
    ),
  );
  document.title = "Try it · Tracing-Tail";
  fillServices();
  fillPath();

  async function fillPath() {
    const path = form.querySelector("input[name=path]");
    try {
      const { process } = await getApp();
      if (path instanceof HTMLInputElement && path.value === "")
        path.value = process;
    } catch (error) {
      announce(error);
    }
  }

  async function fillServices() {
    try {
      const known = (await getServices()).services;
      services.append(...known.map((one) => el("option", { value: one.name })));
    } catch (error) {
      announce(error);
    }
  }

  /** @param {SubmitEvent} event */
  async function submit(event) {
    event.preventDefault();
    send.disabled = true;
    outcome.replaceChildren("Sending…");
    try {
      const { path, headers, body } = buildRequest(new FormData(form));
      const response = await fetch(`..${path}`, {
        method: "POST",
        headers,
        body,
      });
      const text = await response.text();
      const report = parseReport(text);
      const json = el("pre", {}, indentJson(text));
      outcome.replaceChildren(
        el(
          "p",
          { class: response.ok ? "status" : "status bad" },
          `${response.status} ${response.statusText}`,
        ),
        ...(report
          ? [
              reportView(report),
              el("details", {}, el("summary", {}, "As JSON"), json),
            ]
          : [json]),
      );
      const id = responseTraceId(response.headers.get("traceresponse"));
      // A report is there to be read, so the page stays.
      if (id && report) linkTo(id);
      else if (id) await openTrace(id);
      else outcome.append(el("p", {}, "The response names no trace."));
    } catch (error) {
      outcome.replaceChildren(
        el("p", { class: "status bad" }, toMessage(error)),
      );
    }
    send.disabled = false;
  }

  /** @param {string} id */
  function linkTo(id) {
    const link = el("a", { href: `#/trace/${id}` }, "Open the trace");
    outcome.append(el("p", { class: "note" }, link));
  }

  /** Waits until a trace has arrived, and opens it. @param {string} id */
  async function openTrace(id) {
    const waiting = el("p", { class: "note" }, "Waiting for the trace…");
    outcome.append(waiting);
    const end = Date.now() + ARRIVAL_TIMEOUT;
    while (!isDisposed && Date.now() < end) {
      // While the trace is missing, the list answers without it; the trace's own
      // address would be a 404. After a failure the next request may succeed.
      const { traces } = await getTraces({ trace_id: id, limit: 1 }).catch(
        () => ({ traces: [] }),
      );
      if (traces.length > 0) {
        location.hash = `#/trace/${id}`;
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, ARRIVAL_POLL));
    }
    waiting.replaceChildren(
      "The trace has not arrived: does OTLP_ENDPOINT name another receiver, or was the trace not sampled? ",
      el("a", { href: `#/trace/${id}` }, "Look again"),
    );
  }

  return {
    dispose() {
      isDisposed = true;
    },
  };
}

function fields() {
  return [
    field(
      "Path",
      "of a service of this app that takes requests from outside",
      el("input", {
        name: "path",
        placeholder: "/process",
        autocomplete: "off",
        spellcheck: "false",
      }),
    ),
    field(
      "Payload",
      "A JSON array of strings",
      el("textarea", {
        name: "payload",
        rows: 3,
        spellcheck: "false",
        value: '["item1", "item2"]',
      }),
    ),
    el(
      "fieldset",
      {},
      el("legend", {}, "Faults for one hop, of this request only"),
      field(
        "Service",
        "* for every hop",
        el("input", {
          name: "service",
          list: "services",
          placeholder: "payments",
          autocomplete: "off",
        }),
      ),
      field(
        "Errors",
        "percent, or 503:100,429:1",
        el("input", {
          name: "errors",
          placeholder: "100",
          autocomplete: "off",
        }),
      ),
      field(
        "Latency",
        "200ms, 50ms..250ms or p50:20ms,p99:900ms",
        el("input", {
          name: "latency",
          placeholder: "200ms",
          autocomplete: "off",
        }),
      ),
    ),
    el(
      "fieldset",
      {},
      el("legend", {}, "Repeatable"),
      field(
        "Seed",
        "the same seed gives the same delays and outcomes",
        el("input", { name: "seed", autocomplete: "off" }),
      ),
      el(
        "label",
        { class: "check" },
        el("input", { type: "checkbox", name: "report" }),
        " Ask for the report",
      ),
    ),
  ];
}

/** @param {string} label @param {string} hint @param {HTMLElement} input */
function field(label, hint, input) {
  return el(
    "label",
    { class: "field" },
    el("span", {}, label),
    input,
    el("small", {}, hint),
  );
}
