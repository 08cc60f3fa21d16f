/** After so long a silence the next look is a new visit. */
const VISIT_MS = 30 * 60_000;

/**
 * When the visit before this one ended, from what the browser keeps: `PREVIOUS LAST`, both in
 * milliseconds since 1970. `kept` is what to keep now. Looking again and again within a visit does
 * not move the time.
 */
export function visitBefore(stored: string | null, now: number): { since: number | null; kept: string } {
  const [previous, last] = (stored ?? "").split(" ").map(Number);
  if (!last || !Number.isFinite(last) || last > now) return { since: null, kept: `0 ${now}` };
  const since = now - last > VISIT_MS ? last : previous && Number.isFinite(previous) ? previous : null;
  return { since, kept: `${since ?? 0} ${now}` };
}
