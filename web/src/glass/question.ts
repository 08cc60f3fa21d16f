import { destinationOf, routeOf } from "../app/routes";

export const MATCHES = ["exact", "covering", "covered"] as const;
export type Match = (typeof MATCHES)[number];

/** What the looking glass is asked: an AS, or a prefix with how it is to match. */
export type Question = { of: "as"; asn: number } | { of: "prefix"; prefix: string; match: Match };

/**
 * Reads what was typed. An address asks for what covers it, as a router would look it up, unless
 * `match` says otherwise; a prefix for exactly itself. Null when it is neither an AS nor a prefix.
 */
export function questionOf(text: string, match: string | null): Question | null {
  const path = destinationOf(text);
  const route = path === null ? null : routeOf(path);
  if (route?.page === "as") return { of: "as", asn: route.asn };
  if (route?.page !== "prefix") return null;
  const usual = text.includes("/") ? "exact" : "covering";
  return { of: "prefix", prefix: route.prefix, match: MATCHES.find((one) => one === match) ?? usual };
}
