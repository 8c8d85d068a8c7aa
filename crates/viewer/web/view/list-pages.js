// The traces of the list as far as they are loaded, page by page, and how many more
// there are.

import { getTraces } from "../api.js";
import { LiveList, MAX_ROWS } from "../model/live-list.js";

/** @typedef {import('../types.d.ts').TracePage} TracePage */
/** @typedef {import('../types.d.ts').Parameters} Parameters */

const FIRST = 50;
const OLDER = 200;
/** As many as a store keeps if nothing else is set. */
const MAX_LOADED = 5000;
/** How often those that match are counted again. */
const COUNT_INTERVAL = 10000;

/**
 * @param {{ parameters: () => Parameters, onRows: (page: TracePage) => void }} options
 *   `onRows` is called when older rows were added
 */
export function listPages({ parameters, onRows }) {
  const traces = new LiveList();
  // What belongs to a list that was replaced is dropped.
  let generation = 0;
  let isMore = false;
  /** How many are not loaded; null if that is not known. @type {number | null} */
  let older = 0;
  let counted = 0;
  /** How many rows were loaded by pages: new ones do not push them out. */
  let wanted = 0;
  /** The next page, on its way. @type {Promise<boolean> | null} */
  let loading = null;

  // A page may end before it is full, when many spans had to be searched for it.
  /** @param {TracePage} page @param {number} many @param {Parameters} asked */
  async function append(page, many, asked) {
    const mine = generation;
    const target = traces.shown.size + many;
    for (;;) {
      let added = 0;
      for (const summary of page.traces) added += +traces.append(summary);
      traces.before = page.before ?? traces.before;
      isMore = page.more;
      older = !isMore ? 0 : older === null ? null : Math.max(0, older - added);
      wanted = traces.shown.size;
      onRows(page);
      if (!page.more || traces.shown.size >= target) return true;
      page = await getTraces({ ...asked, limit: OLDER, before: traces.before });
      if (mine !== generation) return false;
    }
  }

  async function loadOlder() {
    const mine = generation;
    const asked = parameters();
    const limit = OLDER;
    const page = await getTraces({ ...asked, limit, before: traces.before });
    return mine === generation && append(page, limit, asked);
  }

  /** Loads the next page, once. @returns {Promise<boolean>} whether there was one */
  function next() {
    if (!isMore || traces.shown.size >= MAX_LOADED)
      return Promise.resolve(false);
    loading ??= loadOlder().finally(() => {
      loading = null;
    });
    return loading;
  }

  return {
    traces,
    /** Begins again. @returns {Promise<TracePage | null>} null if another began meanwhile */
    async first() {
      const mine = ++generation;
      const asked = parameters();
      const page = await getTraces({ ...asked, limit: FIRST, count: "true" });
      if (mine !== generation) return null;
      traces.clear();
      counted = Date.now();
      older = page.matching;
      await append(page, FIRST, asked);
      return mine === generation ? page : null;
    },
    next,
    /** Loads the rest, which an order by another column needs. */
    async all() {
      while (await next());
    },
    /** Loads what arrived after this one, and itself. @param {number} id */
    async upTo(id) {
      while ((traces.before ?? 0) > id && (await next()));
    },
    hasMore: () => isMore && traces.shown.size < MAX_LOADED,
    isAll: () => !isMore,
    /** How many match, but for those that are pending; -1 if that is not known. */
    total: () => (older === null ? -1 : traces.shown.size + older),
    /** Shows the pending ones. */
    takePending() {
      const { removed } = traces.takePending(Math.max(MAX_ROWS, wanted));
      if (removed.length === 0) return;
      isMore = true;
      if (older !== null) older += removed.length;
    },
    // Older ones that were deleted are not told one by one.
    async recount() {
      if (!isMore || Date.now() - counted < COUNT_INTERVAL) return;
      const mine = generation;
      counted = Date.now();
      const page = await getTraces({
        ...parameters(),
        limit: 1,
        count: "true",
      });
      if (mine !== generation || !isMore) return;
      const known = traces.shown.size + traces.pending.size;
      older =
        page.matching === null ? null : Math.max(0, page.matching - known);
    },
    stop() {
      generation++;
    },
    generation: () => generation,
  };
}
