import { expect, test } from "vitest";
import type { PrefixNow } from "../api/types";
import { en } from "../i18n/en";
import { fr } from "../i18n/fr";
import { asAnswer, prefixAnswer } from "./answer";

const origin = (asn: number, peers: number, state: "valid" | "invalid") => ({
  asn, name: null, peers, rov: { state, reason: null }, aspa: null, since: "2026-11-28T11:57:00Z",
});
const seen = (prefix: string, ...origins: ReturnType<typeof origin>[]) => ({ prefix, peers: 3, origins, routes: [] });
const found = (...prefixes: PrefixNow["prefixes"]): PrefixNow => ({
  prefix: "192.0.2.0/24", at: "2026-11-28T12:00:00Z", in_baseline: false, total_peers: { v4: 45, v6: 40 }, prefixes, truncated: false,
});

test.each([
  [found(), "Nobody announces 192.0.2.0/24 (exactly this)."],
  [found(seen("192.0.2.0/24", origin(64500, 42, "valid"))), "192.0.2.0/24 is announced by AS64500 (at 42 of 45 peers)."],
  [
    found(seen("2001:db8::/32", origin(64500, 30, "valid"), origin(64496, 10, "invalid"))),
    "2001:db8::/32 is announced by AS64500 (at 30 of 40 peers) and AS64496 (at 10 of 40 peers); one is RPKI-invalid.",
  ],
  [
    found(seen("192.0.2.0/25", origin(64500, 42, "valid")), seen("192.0.2.128/25", origin(64496, 1, "valid"))),
    "2 prefixes are announced, by 2 ASes.",
  ],
])("what was found is said in a sentence", (answer, sentence) => expect(prefixAnswer(answer, "exact", en)).toBe(sentence));

test("an AS is told by what it originates and its neighbours, in both languages", () => {
  const as = {
    asn: 64500, name: "VICTIM-AS", country: null, at: "", in_baseline: false, prefix_count: { v4: 1180, v6: 1 }, prefixes: [],
    neighbours: [{ asn: 64497, name: null, relation: null, confidence: null, paths: 1 }], truncated: false,
  };
  expect(asAnswer(as, en)).toBe("AS64500 (VICTIM-AS) originates 1,180 IPv4 prefixes and 1 IPv6 prefix now; it has 1 neighbour.");
  expect(asAnswer(as, fr)).toContain("AS64500 (VICTIM-AS)");
});
