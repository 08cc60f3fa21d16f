import type { Match } from "../glass/question";

const counted = (n: number, one: string, many: string) => `${n.toLocaleString("en")} ${n === 1 ? one : many}`;
const matches: Record<Match, string> = {
  exact: "exactly this", covering: "what covers it", covered: "it and its more specifics",
};

/** The looking glass. */
export const table = {
  title: "Looking glass", matches,
  intro: "Ask the running table: who announces a prefix now, to whom, and what RPKI says of it.",
  hint: "A prefix is looked up exactly, an address by the prefixes that cover it, an AS by what it originates and its neighbours. The table is what the feeds have told up to now.",
  cannot: (text: string) => `“${text}” is neither a prefix, nor an address, nor an AS.`,
  asQuestion: (as: string) => `What ${as} originates now, and who its neighbours are.`,
  prefixQuestion: (how: string, prefix: string) => `Who announces ${prefix} now (${how}).`,
  originAt: (as: string, peers: number, all: number) => `${as} (at ${peers.toLocaleString("en")} of ${counted(all, "peer", "peers")})`,
  oneFound: (prefix: string, origins: string, invalid: number) =>
    `${prefix} is announced by ${origins}${invalid === 0 ? "" : invalid === 1 ? "; one is RPKI-invalid" : `; ${invalid} are RPKI-invalid`}.`,
  manyFound: (prefixes: number, more: boolean, origins: number, invalid: number) =>
    `${more ? "More than " : ""}${counted(prefixes, "prefix is", "prefixes are")} announced, by ${counted(origins, "AS", "ASes")}${invalid === 0 ? "" : `; ${invalid.toLocaleString("en")} of these ${invalid === 1 ? "is" : "are"} RPKI-invalid`}.`,
  asFound: (as: string, v4: number, v6: number, neighbours: number, more: boolean) =>
    `${as} originates ${counted(v4, "IPv4 prefix", "IPv4 prefixes")} and ${counted(v6, "IPv6 prefix", "IPv6 prefixes")} now; it has ${more ? "at least " : ""}${counted(neighbours, "neighbour", "neighbours")}.`,
  ask: "Prefix, address or AS", match: "Match", look: "Look up", incidents: "Its incidents",
  announced: "Announced now", asOf: "as of", origin: "Origin", seen: "Seen by", peers: "Peers", paths: "Paths",
  nobody: (prefix: string, how: string) => `Nobody announces ${prefix} (${how}).`,
  nobodyHint: "As far as the feeds can tell: see on the feeds page whether one is silent.",
  several: (n: number) => `${counted(n, "prefix has", "prefixes have")} more than one origin.`,
  truncated: (n: number) => `The first ${n.toLocaleString("en")} prefixes are shown; ask for a longer prefix to see the others.`,
  truncatedAs: "Not all is listed.", inBaseline: "The table is still coming in: what is missing here may only be late.",
  routes: (n: number) => counted(n, "route", "routes"), over: "Over an AS, or at a collector",
  originates: (n: number) => `Originates ${counted(n, "prefix", "prefixes")}`, nothing: "It originates nothing now.",
  neighbours: "Neighbours", noNeighbours: "It is in no path now.", relation: "It is its",
  relations: { provider: "provider", customer: "customer", peer: "peer", sibling: "sibling", unknown: "unknown" } as Record<string, string>,
};
