import { store, stored } from "./stored";

const KEY = "routewarden.keys";

/** Whether single letters do something (WCAG 2.1.4: who speaks to the computer must be able to turn that off). */
class Shortcuts {
  on = $state(stored(KEY) !== "off");

  set(on: boolean): void {
    this.on = on;
    store(KEY, on ? "on" : "off");
  }
}

export const shortcuts = new Shortcuts();

/** Whether a key goes to a field, or is one of the browser's own combinations: then it is not ours. */
export function typing(event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey) return true;
  const target = event.target;
  return (
    (target instanceof HTMLInputElement && target.type !== "checkbox") ||
    target instanceof HTMLSelectElement ||
    target instanceof HTMLTextAreaElement ||
    (target instanceof HTMLElement && target.isContentEditable) ||
    document.querySelector("dialog[open]") !== null
  );
}

/** Whether a letter or sign is meant for the page. */
export function meant(event: KeyboardEvent): boolean {
  return shortcuts.on && !typing(event);
}
