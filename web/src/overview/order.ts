import { SEVERITIES, type IncidentItem, type Kind } from "../api/types";

/** What is to be looked at first: what spreads, then the graver class, then the newer. */
export function inOrder(items: IncidentItem[]): IncidentItem[] {
  const spreads = (one: IncidentItem) => (one.state === "spreading" ? 0 : 1);
  const rank = (one: IncidentItem) => SEVERITIES.indexOf(one.class);
  return items.toSorted((a, b) => spreads(a) - spreads(b) || rank(a) - rank(b) || Date.parse(b.first_seen) - Date.parse(a.first_seen));
}

/** How many there are of each kind, the most first. */
export function perKind(items: IncidentItem[]): [Kind, number][] {
  const counts = new Map<Kind, number>();
  for (const { kind } of items) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a);
}
