import { type Cast, type Route, sideOf } from "./model";

/** How many routes to one prefix lead where. */
export interface Tally {
  prefix: string;
  culprit: number;
  victim: number;
  other: number;
}

/** The routes of a moment by prefix: shorter prefixes first, then in the order of their addresses as text. */
export function tallyOf(routes: Route[], cast: Cast): Tally[] {
  const found = new Map<string, Tally>();
  for (const { prefix, path } of routes) {
    const one = found.get(prefix) ?? { prefix, culprit: 0, victim: 0, other: 0 };
    one[sideOf(path, cast)]++;
    found.set(prefix, one);
  }
  const length = ({ prefix }: Tally) => Number(prefix.split("/")[1]);
  return [...found.values()].sort((a, b) => length(a) - length(b) || a.prefix.localeCompare(b.prefix, "en", { numeric: true }));
}
