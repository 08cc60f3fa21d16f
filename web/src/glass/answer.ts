import type { AsNow, PrefixNow } from "../api/types";
import type { Words } from "../i18n/en";
import { asText } from "../incident/sentence";
import type { Match } from "./question";

/** Origins that are named; the rest is counted. */
const NAMED_MAX = 3;

/** Who announces it, in a sentence. */
export function prefixAnswer(found: PrefixNow, match: Match, words: Words): string {
  const w = words.table;
  const { prefix, prefixes } = found;
  const [first] = prefixes;
  if (!first) return w.nobody(prefix, w.matches[match]);
  const invalid = prefixes.flatMap((one) => one.origins).filter((origin) => origin.rov.state === "invalid").length;
  if (prefixes.length > 1) {
    const origins = new Set(prefixes.flatMap((one) => one.origins.map((origin) => origin.asn)));
    return w.manyFound(prefixes.length, found.truncated, origins.size, invalid);
  }
  const all = found.total_peers[first.prefix.includes(":") ? "v6" : "v4"];
  const named = first.origins.slice(0, NAMED_MAX).map((origin) => w.originAt(nameOf(origin.asn, origin.name), origin.peers, all));
  return w.oneFound(first.prefix, words.units.and(named, first.origins.length - named.length), invalid);
}

/** What an AS originates and how many neighbours it has, in a sentence. */
export function asAnswer(found: AsNow, words: Words): string {
  const { v4, v6 } = found.prefix_count;
  return words.table.asFound(nameOf(found.asn, found.name), v4, v6, found.neighbours.length, found.truncated);
}

function nameOf(asn: number, name: string | null): string {
  return asText(asn, name ? { [asn]: name } : {});
}
