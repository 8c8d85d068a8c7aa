// Brings a view up to date when something has changed: one update at a time, with
// a pause after each, and again after one that has failed.

const FIRST_RETRY = 1000;
/** After failures it tries less often, but never gives up. */
const MAX_RETRY = 15000;

export class Refresher {
  #isRunning = false;
  #isWanted = false;
  #isStopped = false;
  #failures = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {() => Promise<boolean>} update returns whether it has worked
   * @param {number} pause in milliseconds
   */
  constructor(update, pause) {
    this.update = update;
    this.pause = pause;
  }

  /** Something has changed. */
  request() {
    const isFirst = !this.#isWanted;
    this.#isWanted = true;
    if (this.#isRunning || this.#isStopped) return;
    if (this.#timer === undefined) this.#run();
    else if (this.#failures > 0 && isFirst) this.#runAfter(FIRST_RETRY);
  }

  stop() {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  async #run() {
    this.#isRunning = true;
    this.#isWanted = false;
    const hasWorked = await this.update();
    this.#isRunning = false;
    if (this.#isStopped) return;
    this.#failures = hasWorked ? 0 : this.#failures + 1;
    const retries = this.#isWanted ? 0 : this.#failures - 1;
    this.#runAfter(
      hasWorked ? this.pause : Math.min(MAX_RETRY, FIRST_RETRY * 2 ** retries),
    );
  }

  /** Runs after some time, if it is wanted by then or has failed. @param {number} wait */
  #runAfter(wait) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#isWanted || this.#failures > 0) this.#run();
    }, wait);
  }
}
