import { live } from "./live.svelte";

/** So long changes are gathered before something is read anew. */
const GATHERED_MS = 1000;

/** To be called while a component is set up: reads anew soon after incidents changed. */
export function refreshing(resource: { again(): void }): void {
  $effect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = live.listen((name) => {
      if (name !== "incident" && name !== "missed") return;
      timer ??= setTimeout(() => {
        timer = undefined;
        resource.again();
      }, GATHERED_MS);
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  });
}
