// What part of an element is in sight: in the pane that scrolls it, or in a page that
// scrolls as a whole.

/**
 * @param {HTMLElement} pane scrolls beside another, and not where it is alone
 * @param {HTMLElement} content
 */
export function scroller(pane, content) {
  function scrolls() {
    return getComputedStyle(pane).overflowY === "auto"
      ? pane
      : (document.scrollingElement ?? document.documentElement);
  }

  return {
    /** From the top of the content, in pixels; null while it is hidden. */
    sight() {
      const inner = content.getBoundingClientRect();
      if (inner.width === 0) return null;
      const outer = pane.getBoundingClientRect();
      const isPane = scrolls() === pane;
      const top = Math.max(0, isPane ? outer.top : 0);
      const bottom = Math.min(innerHeight, isPane ? outer.bottom : innerHeight);
      return { top: top - inner.top, bottom: bottom - inner.top };
    },
    /** @param {number} pixels */
    scrollBy(pixels) {
      if (pixels !== 0) scrolls().scrollTop += pixels;
    },
  };
}
