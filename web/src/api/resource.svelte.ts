import { Problem } from "./client";

/** Something that is fetched, and fetched anew when what it was asked by changes. */
export class Resource<T> {
  value: T | null = $state.raw(null);
  problem: Problem | null = $state.raw(null);
  loading = $state(true);
  #round = $state(0);

  /** Fetches again; what is there is shown until the answer comes. */
  again(): void {
    this.#round++;
  }

  /** To be called while a component is set up. `load` reads what it depends on before it awaits. */
  constructor(load: (signal: AbortSignal) => Promise<T>) {
    $effect(() => {
      void this.#round;
      const stop = new AbortController();
      void this.#fetch(load(stop.signal), stop.signal);
      return () => stop.abort();
    });
  }

  async #fetch(answer: Promise<T>, signal: AbortSignal): Promise<void> {
    this.loading = true;
    try {
      const value = await answer;
      if (signal.aborted) return;
      this.value = value;
      this.problem = null;
    } catch (error) {
      if (signal.aborted) return;
      this.problem = error instanceof Problem ? error : new Problem("program", 0, String(error));
    }
    this.loading = false;
  }
}
