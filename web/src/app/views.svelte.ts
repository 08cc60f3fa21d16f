import { FILTERS, filtersOf } from "./filters";
import { store, stored } from "./stored";

const KEY = "routewarden.views";
export const VIEWS_MAX = 30;
export const VIEW_NAME_MAX = 40;

/** A set of filters with a name. `query` is as in the address, in the order of {@link FILTERS}. */
export interface View {
  name: string;
  query: string;
}

/** The filters of a query in one order, so that two ways to the same view are the same text. */
export function canonical(query: URLSearchParams): string {
  const filters = filtersOf(query);
  const given = new URLSearchParams();
  for (const name of FILTERS) {
    const value = filters[name];
    if (value) given.set(name, value);
  }
  return given.toString();
}

/** What was kept, without what is not a view. */
export function viewsOf(text: string | null): View[] {
  try {
    const found: unknown = JSON.parse(text ?? "[]");
    if (!Array.isArray(found)) return [];
    return found
      .filter((one: Partial<View> | null): one is View => typeof one?.name === "string" && typeof one.query === "string")
      .map(({ name, query }) => ({ name: name.slice(0, VIEW_NAME_MAX), query: canonical(new URLSearchParams(query)) }))
      .slice(0, VIEWS_MAX);
  } catch {
    return [];
  }
}

/** The views with one more; one of the same name is replaced. */
export function withView(views: View[], view: View): View[] {
  const others = views.filter((one) => one.name !== view.name);
  return [...others, view].sort((a, b) => a.name.localeCompare(b.name)).slice(0, VIEWS_MAX);
}

/** The views kept in this browser. */
class Views {
  all: View[] = $state.raw(viewsOf(stored(KEY)));

  save(name: string, query: string): void {
    this.#keep(withView(this.all, { name: name.trim().slice(0, VIEW_NAME_MAX), query }));
  }

  remove(name: string): void {
    this.#keep(this.all.filter((one) => one.name !== name));
  }

  #keep(views: View[]): void {
    this.all = views;
    store(KEY, JSON.stringify(views));
  }
}

export const views = new Views();
