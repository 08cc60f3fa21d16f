import { type Cast, type Film, type Route, sideOf } from "./model";

/** What one vantage point had of it. Times are in milliseconds since 1970. */
export interface Witness {
  source: string;
  peer: number;
  /** The first route that led to or through the culprit, and since when it had it. */
  route: Route;
  from: number;
  /** When it had no such route any more; null when it has one at the end. */
  until: number | null;
}

/** The vantage points that had routes to or through the culprit, the first first. */
export function witnessesOf(film: Film, cast: Cast): Witness[] {
  const found = new Map<string, Witness>();
  const held = new Map<string, Set<string>>();
  const had = (route: Route, time: number) => {
    const prefixes = held.get(route.source) ?? new Set();
    held.set(route.source, prefixes.add(route.prefix));
    const known = found.get(route.source);
    if (known) known.until = null;
    else found.set(route.source, { source: route.source, peer: route.peer, route, from: time, until: null });
  };
  const lost = (source: string, prefix: string, time: number) => {
    const prefixes = held.get(source);
    const known = found.get(source);
    if (known && prefixes?.delete(prefix) && prefixes.size === 0) known.until = time;
  };
  const leads = (route: Route | null): route is Route => route !== null && sideOf(route.path, cast) === "culprit";
  for (const route of film.initial) if (leads(route)) had(route, film.start);
  for (const step of film.steps) {
    if (leads(step.route)) had(step.route, step.time);
    else lost(step.source, step.prefix, step.time);
  }
  return [...found.values()].sort((a, b) => a.from - b.from);
}
