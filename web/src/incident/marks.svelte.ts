import type { IncidentItem } from "../api/types";

/** So many incidents can be marked at once. */
export const MARKED_MAX = 200;

/** Incidents that are marked to do something with all of them; the marks stay while one turns pages. */
export class Marks {
  all: ReadonlyMap<string, IncidentItem> = $state.raw(new Map());
  /** Whether the last mark found no room. */
  full = $state(false);

  set(items: IncidentItem[], on: boolean): void {
    const next = new Map(this.all);
    this.full = false;
    for (const item of items) {
      if (!on) next.delete(item.id);
      else if (next.has(item.id) || next.size < MARKED_MAX) next.set(item.id, item);
      else this.full = true;
    }
    this.all = next;
  }

  toggle(item: IncidentItem): void {
    this.set([item], !this.all.has(item.id));
  }

  clear(): void {
    this.all = new Map();
    this.full = false;
  }
}
