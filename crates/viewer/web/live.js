// Tells the views that something has changed. One tab asks the server for all of
// the page's tabs: HTTP/1.1 has six connections, which streams of events would take.
// A hidden tab hears nothing, and hears what it has missed once it is seen.

import { ApiError, getCounts, openEvents } from "./api.js";
import { Feed, fingerprint } from "./model/feed.js";
import { texts } from "./texts.js";
import { toMessage } from "./view/dom.js";

/** @typedef {import('./types.d.ts').LiveListener} LiveListener */
/** @typedef {import('./types.d.ts').LiveMessage} LiveMessage */

/** The app may be one of several of this origin. */
const NAME = `tracing-tail-live ${new URL(".", location.href).pathname}`;

/** @type {Set<LiveListener>} */
const listeners = new Set();
const channel = new BroadcastChannel(NAME);
/** What this tab has heard last. @type {LiveMessage | null} */
let heard = null;
/** Ends the wait of this tab for its turn, or its turn. @type {AbortController | null} */
let turn = null;
let isLeading = false;

const feed = new Feed({
  openStream: openEvents,
  getCounts,
  onCounts: (counts) => pass({ counts }),
  onFailure: (error) => pass({ failure: describe(error) }),
});

/**
 * Calls `listener` whenever something has changed, and when the server does not
 * answer or answers again.
 * @param {LiveListener} listener
 * @returns {() => void} ends it
 */
export function subscribe(listener) {
  listeners.add(listener);
  if (heard) listener(heard);
  return () => listeners.delete(listener);
}

channel.onmessage = ({ data }) => {
  if (data === "hello") {
    if (isLeading && heard) channel.postMessage(heard);
  } else if (!document.hidden) hear(data);
};
document.addEventListener("visibilitychange", () => {
  if (document.hidden) leave();
  else join();
});
addEventListener("pagehide", leave);
addEventListener("pageshow", join);
// A stream does not notice either. The server may be on this machine, or not.
addEventListener("offline", () => feed.check());
addEventListener("online", () => {
  if (!isLeading) return;
  feed.stop();
  feed.start();
});
join();

// Waits for its turn to ask the server: until no other tab does.
function join() {
  if (turn || document.hidden) return;
  const mine = (turn = new AbortController());
  channel.postMessage("hello");
  if (navigator.locks)
    navigator.locks
      .request(NAME, { signal: mine.signal }, () => lead(mine.signal))
      .catch(() => {});
  else lead(mine.signal);
}

function leave() {
  turn?.abort();
  turn = null;
  // Views may have left out an update, and get another chance.
  heard = null;
}

/** Asks the server until this tab is hidden or closed. @param {AbortSignal} signal */
function lead(signal) {
  if (signal.aborted) return;
  isLeading = true;
  feed.start();
  return new Promise((resolve) =>
    signal.addEventListener("abort", () => {
      isLeading = false;
      feed.stop();
      resolve(undefined);
    }),
  );
}

/** Passes on what the server says. @param {LiveMessage} message */
function pass(message) {
  channel.postMessage(message);
  hear(message);
}

/** @param {LiveMessage} message */
function hear(message) {
  const isSame = heard !== null && key(heard) === key(message);
  heard = message;
  if (!isSame) for (const listener of listeners) listener(message);
}

/** @param {unknown} error */
function describe(error) {
  return error instanceof ApiError ? toMessage(error) : texts.page.noAnswer;
}

/** @param {LiveMessage} message */
function key({ counts, failure }) {
  return counts ? fingerprint(counts) : failure;
}
