import { live } from "./live.svelte";

/** So long changes are gathered before something is read anew. */
const GATHERED_MS = 1000;

/**
 * To be called while a component is set up: reads anew soon after incidents changed. What is still being read is waited
 * for: asked again and again while incidents keep changing, a slow answer would never come.
 */
export function refreshing(...resources: { again(): void; loading: boolean }[]): void {
  $effect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const gather = () => {
      timer ??= setTimeout(() => {
        timer = undefined;
        if (resources.some((one) => one.loading)) gather();
        else for (const one of resources) one.again();
      }, GATHERED_MS);
    };
    const stop = live.listen((name) => {
      if (name === "incident" || name === "missed") gather();
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  });
}
