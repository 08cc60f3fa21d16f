import { tick } from "svelte";
import { routeOf, type Route } from "./routes";

/** The address of the page that is shown. What a page filters and sorts by stands in `query`. */
class Router {
  path = $state(location.pathname);
  search = $state(location.search);
  route: Route = $derived(routeOf(this.path));
  query: URLSearchParams = $derived(new URLSearchParams(this.search));

  /** Begins to follow links and the browser's back and forward. */
  start(): void {
    addEventListener("popstate", () => this.#read());
    document.addEventListener("click", (event) => this.#click(event));
  }

  /** Goes to an address of ours. `replace`: the address before it is not kept in the history. */
  go(address: string, { replace = false } = {}): void {
    const before = this.path;
    history[replace ? "replaceState" : "pushState"](null, "", address);
    this.#read();
    if (this.path !== before) void arrived();
  }

  /** Changes parts of the query; an empty text or null takes a part away. */
  set(changes: Record<string, string | null>, { replace = true } = {}): void {
    const query = new URLSearchParams(this.search);
    for (const [name, value] of Object.entries(changes)) {
      if (value) query.set(name, value);
      else query.delete(name);
    }
    const text = query.toString();
    this.go(this.path + (text ? `?${text}` : ""), { replace });
  }

  #read(): void {
    this.path = location.pathname;
    this.search = location.search;
  }

  #click(event: MouseEvent): void {
    const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    const link = (event.target as Element | null)?.closest?.("a[href]");
    if (event.defaultPrevented || !plain || !(link instanceof HTMLAnchorElement)) return;
    const elsewhere = link.origin !== location.origin || link.pathname.startsWith("/api/");
    if (elsewhere || link.target || link.hasAttribute("download")) return;
    if (link.hash && link.pathname === location.pathname) return;
    event.preventDefault();
    this.go(link.pathname + link.search);
  }
}

/** A new page begins at its top, and a screen reader at its heading. */
async function arrived(): Promise<void> {
  await tick();
  scrollTo(0, 0);
  const heading = document.querySelector<HTMLElement>("main h1");
  heading?.setAttribute("tabindex", "-1");
  heading?.focus({ preventScroll: true });
}

export const router = new Router();
