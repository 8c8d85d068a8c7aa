// Learns from the server that something has changed: by a stream of events, and
// while there is none, by asking each second.

/** @typedef {import('../types.d.ts').StoreCounts} StoreCounts */
/** @typedef {import('../types.d.ts').EventStream} EventStream */
/** @typedef {import('../types.d.ts').FeedHandlers} FeedHandlers */

/** In milliseconds, as all times here. */
const POLL = 1000;
/** While the server does not answer. */
const GONE_POLL = 3000;
/** A refused stream is tried again after this, then after twice as long. */
const FIRST_RETRY = 2000;
const MAX_RETRY = 60000;
/** The server sends something every 15 seconds. After three times that, the connection is dead. */
export const SILENCE = 45000;

export class Feed {
  /** @type {EventStream | null} */
  #stream = null;
  #isOn = false;
  /** How often in a row the stream was refused. */
  #refusals = 0;
  /** @type {Timer} */
  #poll;
  /** @type {Timer} */
  #retry;
  /** @type {Timer} */
  #silence;

  /** @param {FeedHandlers} handlers */
  constructor(handlers) {
    this.handlers = handlers;
  }

  start() {
    if (this.#isOn) return;
    this.#isOn = true;
    this.#refusals = 0;
    this.#open();
  }

  stop() {
    this.#isOn = false;
    this.#close();
    for (const timer of [this.#poll, this.#retry]) clearTimeout(timer);
  }

  /** Asks at once, whatever the stream says. */
  check() {
    if (this.#isOn) this.#ask();
  }

  #open() {
    const stream = this.handlers.openStream();
    this.#stream = stream;
    stream.onopen = () => {
      this.#refusals = 0;
      clearTimeout(this.#poll);
      this.#expectMore();
    };
    stream.onmessage = ({ data }) => {
      this.#expectMore();
      this.handlers.onCounts(JSON.parse(data));
    };
    stream.addEventListener("heartbeat", () => this.#expectMore());
    stream.onerror = () => {
      // Unless it was refused, the browser opens it again by itself.
      if (stream.readyState === stream.CLOSED) this.#openLater();
      this.#ask();
    };
    this.#expectMore();
    // The connection may wait for others.
    this.#askAfter(POLL);
  }

  #close() {
    clearTimeout(this.#silence);
    this.#stream?.close();
    this.#stream = null;
  }

  #openLater() {
    this.#close();
    const wait = Math.min(MAX_RETRY, FIRST_RETRY * 2 ** this.#refusals);
    this.#refusals++;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#open(), wait);
  }

  #expectMore() {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => {
      this.#openLater();
      this.#ask();
    }, SILENCE);
  }

  async #ask() {
    clearTimeout(this.#poll);
    let hasFailed = false;
    try {
      const counts = await this.handlers.getCounts();
      if (this.#isOn) this.handlers.onCounts(counts);
    } catch (error) {
      hasFailed = true;
      if (this.#isOn) this.handlers.onFailure(error);
    }
    const stream = this.#stream;
    const isStreaming = stream !== null && stream.readyState === stream.OPEN;
    if (this.#isOn && (hasFailed || !isStreaming))
      this.#askAfter(hasFailed ? GONE_POLL : POLL);
  }

  /** @param {number} wait */
  #askAfter(wait) {
    clearTimeout(this.#poll);
    this.#poll = setTimeout(() => this.#ask(), wait);
  }
}

/** @typedef {ReturnType<typeof setTimeout> | undefined} Timer */

/**
 * Differs between any two states of the store that a view could tell apart.
 * @param {StoreCounts} counts
 */
export function fingerprint(counts) {
  const { changed, traces, spans, bytes, turned_away } = counts;
  return [changed, traces, spans, bytes, turned_away].join();
}
