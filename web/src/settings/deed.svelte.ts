import { Problem } from "../api/client";

/** Something that one does to the server: under way, done, or refused. */
export class Deed {
  busy = $state(false);
  problem: Problem | null = $state.raw(null);
  /** What to say of it when it is done. */
  done: string | null = $state(null);

  /** Does it, and tells whether it was done. */
  async run(deed: () => Promise<void>, done: string | null = null): Promise<boolean> {
    this.busy = true;
    this.problem = null;
    this.done = null;
    try {
      await deed();
      this.done = done;
      return true;
    } catch (error) {
      this.problem = error instanceof Problem ? error : new Problem("program", 0, String(error));
      return false;
    } finally {
      this.busy = false;
    }
  }
}
