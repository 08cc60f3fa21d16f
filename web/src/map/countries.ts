import type { IncidentItem } from "../api/types";

/** Incidents and prefixes by country; the most prefixes first, then by letters. */
export function perCountry(items: IncidentItem[]): { code: string; incidents: number; prefixes: number }[] {
  const counts = new Map<string, { incidents: number; prefixes: number }>();
  for (const item of items) {
    for (const code of new Set(item.countries)) {
      const known = counts.get(code) ?? { incidents: 0, prefixes: 0 };
      counts.set(code, { incidents: known.incidents + 1, prefixes: known.prefixes + item.prefix_count });
    }
  }
  return [...counts]
    .map(([code, count]) => ({ code, ...count }))
    .sort((a, b) => b.prefixes - a.prefixes || (a.code < b.code ? -1 : 1));
}
