import { router } from "./router.svelte";
import { store, stored } from "./stored";

const KEY = "routewarden.members";
/** So many members are kept; a constituency of more is better searched than chosen from. */
const MEMBERS_MAX = 200;
/** All members of the constituency: no member has this id, which is no word. */
export const ALL = "*";

interface Touched {
  constituency: { member: string; name: string }[];
}

/**
 * The member of the constituency through whose eyes one looks. It stands in the address (`member`,
 * `constituency`); the links of the rail carry it on. The API has no list of members: those that incidents named are
 * kept in this browser.
 */
class Scope {
  /** Id and name, in the order of the names. */
  members: [string, string][] = $state.raw(kept());
  member: string | null = $derived(router.query.get("member"));
  /** Whether one looks through the eyes of all of them. */
  mine = $derived(router.query.get("constituency") === "true");
  /** As filters of the API. */
  filters = $derived({ member: this.member, constituency: this.mine ? "true" : null });
  /** The last choice in this window. */
  #last: string = $state("");

  /** Query of links to pages that can look through a member's eyes. */
  carried(query = ""): string {
    const given = new URLSearchParams(query);
    const choice = this.choice || this.#last;
    if (choice === ALL) given.set("constituency", "true");
    else if (choice) given.set("member", choice);
    const text = given.toString();
    return text ? `?${text}` : "";
  }

  /** A member's id, {@link ALL}, or nothing. */
  get choice(): string {
    return this.member ?? (this.mine ? ALL : "");
  }
  set choice(choice: string) {
    this.#last = choice;
    const member = choice === ALL || choice === "" ? null : choice;
    router.set({ member, constituency: choice === ALL ? "true" : null, cursor: null }, { replace: false });
  }

  /** The name of a member; its id when no incident has named it. */
  nameOf(member: string): string {
    return this.members.find(([id]) => id === member)?.[1] ?? member;
  }

  learn(items: readonly Touched[]): void {
    const known = new Map(this.members);
    for (const item of items) for (const one of item.constituency) known.set(one.member, one.name);
    if (known.size === this.members.length) return;
    this.members = [...known].slice(0, MEMBERS_MAX).sort((a, b) => a[1].localeCompare(b[1]));
    store(KEY, JSON.stringify(this.members));
  }
}

function kept(): [string, string][] {
  try {
    const found: unknown = JSON.parse(stored(KEY) ?? "[]");
    const isPair = (one: unknown): one is [string, string] =>
      Array.isArray(one) && typeof one[0] === "string" && typeof one[1] === "string";
    return Array.isArray(found) ? found.filter(isPair) : [];
  } catch {
    return [];
  }
}

export const scope = new Scope();
