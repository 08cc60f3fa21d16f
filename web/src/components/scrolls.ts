/**
 * A region that scrolls can be reached with the keyboard, and has the name of the table in it
 * (WCAG 2.1.1); one that does not scroll is no stop on the way.
 */
export function scrolls(element: HTMLElement): { destroy(): void } {
  const look = () => {
    const over = element.scrollWidth > element.clientWidth + 1 || element.scrollHeight > element.clientHeight + 1;
    const name = element.querySelector("caption")?.textContent;
    for (const [attribute, value] of [["tabindex", "0"], ["role", "region"], ["aria-label", name ?? ""]] as const) {
      if (over) element.setAttribute(attribute, value);
      else element.removeAttribute(attribute);
    }
  };
  const sizes = new ResizeObserver(look);
  sizes.observe(element);
  for (const child of element.children) sizes.observe(child);
  return { destroy: () => sizes.disconnect() };
}
