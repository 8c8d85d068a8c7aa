// The row of the list that the keyboard has selected.

/**
 * Nothing is selected at first.
 * @param {HTMLElement} list whose items hold one link with a `data-id`
 */
export function rowSelection(list) {
  /** @type {number | null} */
  let selected = null;

  /** Selects the row some rows away, the first without a selection. @param {number} step */
  function move(step) {
    const links = /** @type {HTMLElement[]} */ ([
      ...list.querySelectorAll(".row"),
    ]);
    const chosen = links.findIndex((link) =>
      link.parentElement?.matches(".chosen"),
    );
    // Without a selection it begins at the trace that is shown beside the list.
    const isOpen = (/** @type {HTMLElement} */ link) =>
      link.hasAttribute("aria-current");
    const current = chosen < 0 ? links.findIndex(isOpen) : chosen;
    const target =
      links[Math.min(links.length - 1, Math.max(0, current + step))];
    if (target) select(target);
  }

  /** @param {HTMLElement} link */
  function select(link) {
    unmark();
    link.parentElement?.classList.add("chosen");
    selected = Number(link.dataset.id);
    link.focus({ preventScroll: true });
    link.parentElement?.scrollIntoView({ block: "nearest" });
  }

  function unmark() {
    list.querySelector(".chosen")?.classList.remove("chosen");
  }

  return {
    move,
    /** The number of the selected trace. */
    current: () => selected,
    clear() {
      selected = null;
      if (document.activeElement instanceof HTMLElement)
        document.activeElement.blur();
      unmark();
    },
    /** Selects nothing; the focus stays. */
    forget() {
      selected = null;
      unmark();
    },
    isEmpty() {
      return selected === null;
    },
    /** @param {number} id */
    has(id) {
      return selected === id;
    },
    /** Forgets a row that goes away. @param {number} id */
    drop(id) {
      if (selected === id) selected = null;
    },
  };
}
