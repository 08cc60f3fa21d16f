import { apiUrl } from "./client";
import { heard } from "./clock";
import type { LiveEvent } from "./types";

/** Events of these names may change what a page shows. */
const NAMES = ["incident", "report", "feed", "facts", "service", "missed"] as const;
export type LiveName = (typeof NAMES)[number];

/** So long after a refusal it is tried again. */
const REFUSED_MS = 15_000;
/**
 * A window that nobody sees for so long gives its stream up: browsers hold six connections to a server that speaks
 * HTTP/1.1, and six windows with a stream each would leave none for the pages.
 */
export const HIDDEN_MS = 10_000;

type Listener = (name: LiveName, event: LiveEvent) => void;

/** The one stream of `/events` of this window. The browser connects again by itself. */
class Live {
  /** `lost`: what is shown may be old until the stream is back. */
  state: "connecting" | "open" | "lost" = $state("connecting");
  #listeners = new Set<Listener>();
  #source: EventSource | null = null;
  #waiting: ReturnType<typeof setTimeout> | undefined;
  #hidden: ReturnType<typeof setTimeout> | undefined;

  /** Listens to the server until the answer is called, as long as somebody may see it. */
  start(): () => void {
    const seen = () => this.#seen();
    document.addEventListener("visibilitychange", seen);
    if (document.visibilityState === "hidden") this.state = "lost";
    else this.#connect();
    return () => {
      document.removeEventListener("visibilitychange", seen);
      clearTimeout(this.#hidden);
      this.#close();
    };
  }

  /** Calls the listener for each event until the answer is called. */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #seen(): void {
    clearTimeout(this.#hidden);
    if (document.visibilityState === "hidden") {
      this.#hidden = setTimeout(() => {
        this.#close();
        this.state = "lost";
      }, HIDDEN_MS);
    } else if (this.#source === null) {
      this.#connect();
    }
  }

  #close(): void {
    clearTimeout(this.#waiting);
    this.#source?.close();
    this.#source = null;
  }

  #connect(): void {
    const source = new EventSource(apiUrl("/events"));
    this.#source = source;
    source.onopen = () => {
      if (this.state === "lost") this.#tell("missed", "{}");
      this.state = "open";
    };
    source.onerror = () => {
      this.state = "lost";
      // A refusal (503) ends a source for good; a broken connection is taken up by the browser.
      if (source.readyState === EventSource.CLOSED) {
        this.#waiting = setTimeout(() => this.#connect(), REFUSED_MS);
      }
    };
    for (const name of NAMES) {
      source.addEventListener(name, (event) => this.#tell(name, (event as MessageEvent<string>).data));
    }
  }

  #tell(name: LiveName, data: string): void {
    let event: LiveEvent;
    try {
      event = JSON.parse(data) as LiveEvent;
    } catch {
      return;
    }
    if (event.recorded_at) heard(event.recorded_at);
    for (const listener of this.#listeners) listener(name, event);
  }
}

export const live = new Live();
