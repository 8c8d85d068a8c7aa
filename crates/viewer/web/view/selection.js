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
    const current = links.findIndex((link) =>
      link.parentElement?.matches(".chosen"),
    );
    const target =
      links[Math.min(links.length - 1, Math.max(0, current + step))];
    if (!target) return;
    unmark();
    target.parentElement?.classList.add("chosen");
    selected = Number(target.dataset.id);
    target.focus({ preventScroll: true });
    target.parentElement?.scrollIntoView({ block: "nearest" });
  }

  function unmark() {
    list.querySelector(".chosen")?.classList.remove("chosen");
  }

  return {
    move,
    clear() {
      selected = null;
      if (document.activeElement instanceof HTMLElement)
        document.activeElement.blur();
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
