// The panel with all of one span: attributes, events, links, resource.

import { duration, timestamp, toMillis } from "../model/format.js";
import { spanAddress } from "../model/route.js";
import { TIME_PROBLEMS, hasTarget, peerText } from "../model/span.js";
import { texts } from "../texts.js";
import { attributeList } from "./attributes.js";
import { copyButton } from "./copy-button.js";
import { el, untrusted } from "./dom.js";
import { eventList } from "./events.js";

/** @typedef {import('../types.d.ts').SpanDetails} SpanDetails */
/** A span's service and name. @typedef {{ service: string, name: string }} Named */

/**
 * @param {SpanDetails} span
 * @param {string} service
 * @param {(id: string) => Named | undefined} find a span of the same trace
 * @param {() => void} onClose
 */
export function spanDetails(span, service, find, onClose) {
  return panel(
    span.name,
    onClose,
    facts(span, service),
    span.time &&
      el("p", { class: "note" }, TIME_PROBLEMS[span.time].title, "."),
    status(span.status),
    ids(span),
    section(
      texts.details.attributes,
      span.attributes.length,
      attributeList(span.attributes),
    ),
    section(texts.details.events, span.events.length, eventList(span)),
    section(
      texts.details.links,
      span.links.length,
      el(
        "ul",
        { class: "links" },
        span.links.map((one) => link(one, span.trace_id, find)),
      ),
    ),
    section(
      texts.details.linkedFrom,
      span.linked_from.length,
      el(
        "ul",
        { class: "links" },
        span.linked_from.map((one) => linkSource(one, span.trace_id)),
        span.more_linked_from && el("li", {}, texts.details.more),
      ),
    ),
    section(
      texts.details.resource,
      span.resource.length,
      attributeList(span.resource),
    ),
    scope(span),
    dropped(span.dropped),
  );
}

/**
 * What is shown until the details are there, or instead of them.
 * @param {string} name of the span
 * @param {string} text
 * @param {() => void} onClose
 */
export function spanNotice(name, text, onClose) {
  return panel(name, onClose, el("p", { class: "note" }, text));
}

/**
 * @param {string} name
 * @param {() => void} onClose
 * @param {import('../types.d.ts').Child[]} children
 */
function panel(name, onClose, ...children) {
  const close = {
    type: "button",
    class: "quiet",
    "aria-label": texts.details.close,
    onclick: onClose,
  };
  return el(
    "aside",
    { class: "details", "aria-label": texts.details.title },
    el(
      "header",
      {},
      el("h2", { tabindex: "-1" }, untrusted(name, texts.noName)),
      el("button", close, "✕"),
    ),
    children,
  );
}

/** @param {SpanDetails} span @param {string} service */
function facts(span, service) {
  return el(
    "p",
    { class: "facts" },
    untrusted(service),
    " · ",
    span.kind,
    " · ",
    duration(span.duration_ns),
    span.peer && [
      " · ",
      texts.peers[span.peer.kind],
      " ",
      el("b", { class: "peer" }, untrusted(peerText(span.peer))),
    ],
    span.time !== "no_start" && [" · ", timestamp(toMillis(span.start_ns))],
  );
}

/** @param {SpanDetails['status']} status */
function status({ code, message }) {
  if (code === "UNSET") return null;
  return el(
    "p",
    { class: code === "ERROR" ? "status bad" : "status" },
    code === "ERROR" ? `✕ ${code}` : code,
    message && [": ", untrusted(message)],
  );
}

/** @param {SpanDetails} span */
function ids(span) {
  return el(
    "div",
    { class: "ids" },
    id(texts.details.spanId, span.span_id),
    id(texts.details.parentId, span.parent_id),
    id(texts.details.traceId, span.trace_id),
    id(texts.details.traceState, span.trace_state),
  );
}

/** @param {string} name @param {string} value */
function id(name, value) {
  if (!value) return null;
  return el(
    "div",
    { class: "id" },
    el("span", {}, name),
    el("code", {}, untrusted(value)),
    copyButton(value, name),
  );
}

// What describes the sender rather than the span is closed at first.
const CLOSED = [texts.details.resource, texts.details.scope];

/** @param {string} title @param {number} number @param {HTMLElement | null} content */
function section(title, number, content) {
  if (number === 0) return null;
  return el(
    "details",
    { open: !CLOSED.includes(title) },
    el("summary", {}, title, " ", el("span", { class: "tag" }, number)),
    content,
  );
}

/**
 * @param {SpanDetails['links'][number]} link
 * @param {string} traceId
 * @param {(id: string) => Named | undefined} find
 */
function link(link, traceId, find) {
  const target = link.trace_id === traceId ? find(link.span_id) : undefined;
  const name = target && [
    untrusted(target.service),
    " ",
    untrusted(target.name, texts.noName),
  ];
  return el(
    "li",
    {},
    link.reason && [untrusted(link.reason), ": "],
    hasTarget(link)
      ? el("a", { href: spanAddress(link) }, name ?? link.span_id)
      : texts.details.noTarget,
    hasTarget(link) && link.trace_id !== traceId && texts.details.inAnother,
    hasTarget(link) && link.stored === false && texts.details.notStored,
    attributeList(link.attributes, { isFiltered: false }),
  );
}

/** @param {SpanDetails['linked_from'][number]} source @param {string} traceId */
function linkSource(source, traceId) {
  return el(
    "li",
    {},
    el(
      "a",
      { href: spanAddress(source) },
      untrusted(source.service),
      " ",
      untrusted(source.name, texts.noName),
    ),
    source.trace_id !== traceId && texts.details.another,
  );
}

/** @param {SpanDetails} span */
function scope({ scope, schema_url: schema }) {
  if (!scope) return null;
  const fields = [
    { key: texts.details.scopeName, value: scope.name },
    { key: texts.details.scopeVersion, value: scope.version },
    { key: texts.details.scopeSchema, value: schema },
  ];
  const all = [...fields, ...scope.attributes];
  return section(
    texts.details.scope,
    1,
    attributeList(all, { isFiltered: false }),
  );
}

/** @param {SpanDetails['dropped']} counts */
function dropped(counts) {
  /** @type {Record<string, string>} */
  const names = texts.details.droppedParts;
  const parts = Object.entries(counts)
    .filter(([, number]) => number > 0)
    .map(([what, number]) => `${number} ${names[what] ?? what}`);
  return (
    parts.length > 0 &&
    el("p", { class: "note" }, texts.details.dropped, " ", parts.join(", "))
  );
}
