/** The filters of the list of incidents, as they stand in the address and go to the API. */
export const FILTERS = [
  "kind", "class", "state", "open", "constituency", "member", "asn", "role", "prefix", "match", "country", "from", "before", "sort",
] as const;
export type Filter = (typeof FILTERS)[number];

/** Orders of the list; only those that are open can be ordered by how bad or sure they are. */
export const ORDERS = ["-first_seen", "first_seen", "-severity", "-confidence"] as const;
export type Order = (typeof ORDERS)[number];
const OF_OPEN: readonly string[] = ["-severity", "-confidence"];

/** What stands in the query and is a filter; `role` without an AS and `match` without a prefix say nothing. */
export function filtersOf(query: URLSearchParams): Partial<Record<Filter, string>> {
  const found: Partial<Record<Filter, string>> = {};
  for (const name of FILTERS) {
    const value = query.get(name);
    if (value) found[name] = value;
  }
  if (!found.asn) delete found.role;
  if (!found.prefix) delete found.match;
  if (found.open !== "true" && OF_OPEN.includes(found.sort ?? "")) delete found.sort;
  return found;
}

/** How many filters narrow the list; the order does not. */
export function narrowing(filters: Partial<Record<Filter, string>>): number {
  const { sort: _sort, role: _role, match: _match, ...rest } = filters;
  return Object.keys(rest).length;
}
