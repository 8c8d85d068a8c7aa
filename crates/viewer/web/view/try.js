// "Try it": sends a request to the app, and opens the trace of its response, or
// shows its report, or says in the form what was wrong.

import { appAddress, getApp, getServices, getTraces } from "../api.js";
import { parseReport } from "../model/report.js";
import {
  FieldError,
  buildRequest,
  curlLine,
  indentJson,
  refusedField,
  responseTraceId,
} from "../model/try-request.js";
import { texts } from "../texts.js";
import { copyButton } from "./copy-button.js";
import { announce, el, toMessage } from "./dom.js";
import { reportView } from "./report.js";
import { tryForm } from "./try-form.js";

/** In milliseconds: as long as batching and retries may take. */
const ARRIVAL_TIMEOUT = 20000;
const ARRIVAL_POLL = 150;
/** Where the last response is kept in this tab. */
const KEY = "try-outcome";

/** @typedef {{ status: number, reason: string, text: string, id: string | undefined }} Outcome */

/** @type {import('../types.d.ts').OpenView} */
export function tryView(main) {
  let isDisposed = false;
  const outcome = el("div", { class: "outcome", role: "status" });
  const send = el("button", { class: "primary" }, texts.tryIt.send);
  const curl = copyButton(asCurl, "curl", {
    text: texts.tryIt.curl,
    class: "",
  });
  const form = tryForm({ onSubmit: submit, buttons: [send, curl] });
  main.replaceChildren(
    el(
      "section",
      { class: "form" },
      el("h1", {}, texts.page.tryIt),
      el("p", { class: "facts" }, texts.tryIt.lead),
      form.element,
      outcome,
    ),
  );
  document.title = texts.page.title(texts.page.tryIt);
  const kept = sessionStorage.getItem(KEY);
  if (kept) showOutcome(JSON.parse(kept));
  fill();

  async function fill() {
    try {
      const [{ process }, { services }] = await Promise.all([
        getApp(),
        getServices(),
      ]);
      form.setPath(process);
      form.offerServices(services.map((one) => one.name));
    } catch (error) {
      announce(error);
    }
  }

  function asCurl() {
    form.showError(null);
    try {
      return curlLine(buildRequest(form.data()), appAddress());
    } catch (error) {
      if (error instanceof FieldError) form.showError(error);
      throw error;
    }
  }

  async function submit() {
    send.disabled = true;
    form.showError(null);
    outcome.replaceChildren(texts.tryIt.sending);
    try {
      const answer = await request();
      keep(answer);
      const refused = refusedField(answer.status, answer.text);
      if (refused) form.showError(refused);
      const isShown = showOutcome(answer) || refused !== null;
      // What is there to be read stays.
      if (answer.id && !isShown) await openTrace(answer.id);
    } catch (error) {
      outcome.replaceChildren();
      if (error instanceof FieldError) form.showError(error);
      else outcome.append(el("p", { class: "status bad" }, toMessage(error)));
    }
    send.disabled = false;
  }

  /** @returns {Promise<Outcome>} */
  async function request() {
    const { path, headers, body } = buildRequest(form.data());
    const method = "POST";
    const response = await fetch(`..${path}`, { method, headers, body });
    return {
      status: response.status,
      reason: response.statusText,
      text: await response.text(),
      id: responseTraceId(response.headers.get("traceresponse")),
    };
  }

  /** @param {Outcome} answer @returns {boolean} whether it has a report */
  function showOutcome({ status, reason, text, id }) {
    const report = parseReport(text);
    const json = el("pre", { tabindex: 0 }, indentJson(text));
    const isGood = status >= 200 && status < 300;
    outcome.replaceChildren(
      el(
        "p",
        { class: isGood ? "status" : "status bad" },
        `${status} ${reason}`,
      ),
      ...(report
        ? [
            reportView(report),
            el("details", {}, el("summary", {}, texts.tryIt.asJson), json),
          ]
        : [json]),
      id
        ? el("p", { class: "note" }, traceLink(id, texts.tryIt.open))
        : el("p", { class: "note" }, texts.tryIt.noTrace),
    );
    return report !== null;
  }

  /** Waits until a trace has arrived, and opens it. @param {string} id */
  async function openTrace(id) {
    const waiting = el("p", { class: "note" }, texts.tryIt.waiting);
    outcome.append(waiting);
    const end = Date.now() + ARRIVAL_TIMEOUT;
    while (!isDisposed && Date.now() < end) {
      // While the trace is missing, the list answers without it; the trace's own
      // address would be a 404. After a failure the next request may succeed.
      const { traces } = await getTraces({ trace_id: id, limit: 1 }).catch(
        () => ({ traces: [] }),
      );
      if (isDisposed) return;
      if (traces.length > 0) {
        location.hash = `#/trace/${id}`;
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, ARRIVAL_POLL));
    }
    waiting.replaceChildren(
      texts.tryIt.notArrived,
      " ",
      traceLink(id, texts.tryIt.again),
    );
  }

  return {
    dispose() {
      isDisposed = true;
    },
  };
}

/** @param {string} id @param {string} text */
function traceLink(id, text) {
  return el("a", { href: `#/trace/${id}` }, text);
}

/** @param {Outcome} answer */
function keep(answer) {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(answer));
  } catch {
    // One that is too large is not kept.
    sessionStorage.removeItem(KEY);
  }
}
