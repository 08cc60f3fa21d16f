import type { Route } from "./model";

/** ASes drawn at once; with more, vantage points that tell the same are folded into one. */
export const NODES_MAX = 60;

/** The routes as drawn: `nodes` of a path are names, an ASN or a fold such as `fold:3`. */
export interface Drawn {
  /** Node to the ASes it stands for: one, or those that are folded. */
  members: Map<string, number[]>;
  /** ASN of a vantage point to the node that stands for it. */
  standIn: Map<number, string>;
  /** ASes for which there was no room. */
  hidden: number;
}

/**
 * Chooses what is drawn of all routes of a film. Vantage point ASes that pass nothing on and whose
 * routes go on alike are one node when there are more than `max` ASes; if that is not enough, the
 * ASes on the fewest paths are left out and counted.
 */
export function fold(routes: Route[], max = NODES_MAX): Drawn {
  const uses = new Map<number, number>();
  for (const route of routes) for (const asn of new Set(route.path)) uses.set(asn, (uses.get(asn) ?? 0) + 1);
  const members = new Map<string, number[]>();
  const standIn = new Map<number, string>();
  const keep = (node: string, asns: number[]) => {
    members.set(node, asns);
    for (const asn of asns) standIn.set(asn, node);
  };
  if (uses.size <= max) {
    for (const asn of uses.keys()) keep(String(asn), [asn]);
    return { members, standIn, hidden: 0 };
  }
  const groups = alike(routes);
  const folded = new Set(groups.flat());
  const alone = [...uses.keys()].filter((asn) => !folded.has(asn));
  const nodes = [
    ...groups.map((asns) => ({ asns, weight: asns.length })),
    ...alone.map((asn) => ({ asns: [asn], weight: uses.get(asn) ?? 0 })),
  ].sort((a, b) => b.weight - a.weight);
  nodes.slice(0, max).forEach(({ asns }, at) => keep(asns.length > 1 ? `fold:${at}` : String(asns[0]), asns));
  const hidden = nodes.slice(max).reduce((sum, { asns }) => sum + asns.length, 0);
  return { members, standIn, hidden };
}

/** Groups of two and more vantage point ASes that pass nothing on and whose paths go on alike. */
function alike(routes: Route[]): number[][] {
  const inner = new Set(routes.flatMap((route) => route.path.slice(1)));
  const tails = new Map<number, Set<string>>();
  for (const { path } of routes) {
    const [head, ...tail] = path;
    if (head === undefined || inner.has(head)) continue;
    const known = tails.get(head) ?? new Set();
    tails.set(head, known.add(tail.join(" ")));
  }
  const groups = new Map<string, number[]>();
  for (const [asn, paths] of tails) {
    const same = [...paths].sort().join(",");
    groups.set(same, [...(groups.get(same) ?? []), asn]);
  }
  return [...groups.values()].filter((asns) => asns.length > 1);
}

/** The nodes of a path as drawn; what is hidden is passed over. */
export function drawnPath(path: number[], drawn: Drawn): string[] {
  return path.flatMap((asn) => drawn.standIn.get(asn) ?? []);
}
