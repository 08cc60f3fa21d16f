import type { Kind } from "../api/types";

/** Kinds that are drawn in one colour: more than five cannot be told apart in a bar. */
export const FAMILIES = ["hijack", "leak", "outage", "rpki", "hygiene"] as const;
export type Family = (typeof FAMILIES)[number];

const OF: Record<Kind, Family> = {
  origin_hijack: "hijack", sub_prefix_hijack: "hijack", squatting: "hijack", less_specific_hijack: "hijack",
  forged_origin: "hijack", forged_path: "hijack", same_path_more_specific: "hijack", blackhole_abuse: "hijack",
  moas: "hijack", unexpected_origination: "hijack",
  route_leak: "leak", new_neighbour: "leak",
  prefix_outage: "outage", as_outage: "outage", country_outage: "outage",
  rpki_invalid: "rpki", roa_change: "rpki", aspa_change: "rpki", trust_anchor_loss: "rpki",
  bogon_prefix: "hygiene", bogon_asn: "hygiene", as_set: "hygiene", long_path: "hygiene",
  excessive_prepending: "hygiene",
};

/** The family of a kind; a kind that is newer than this page counts as hygiene. */
export function familyOf(kind: Kind): Family {
  return OF[kind] ?? "hygiene";
}

/** The token of each family's colour: D55E00 is the culprit's everywhere, so hijacks have it. */
export const FAMILY_COLOURS: Record<Family, string> = {
  hijack: "--series-4", leak: "--series-2", outage: "--series-1", rpki: "--series-3", hygiene: "--series-5",
};
