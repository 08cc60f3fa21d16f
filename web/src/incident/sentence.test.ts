import { describe, expect, test } from "vitest";
import { type IncidentItem, KINDS } from "../api/types";
import { en } from "../i18n/en";
import { fr } from "../i18n/fr";
import { claimOf, extentOf, touchedOf } from "./sentence";

const item: IncidentItem = {
  number: 1, id: "RW-20080224-1a2b3c4d", detector_id: "RW-20080224-1a2b3c4d", kind: "sub_prefix_hijack", state: "ended",
  class: "high", confidence: 97, severity: 71, first_seen: "2008-02-24T18:47:57Z", last_seen: "2008-02-24T20:50:37Z",
  ended_at: "2008-02-24T21:01:34Z", opened_at: "2026-11-28T12:00:03Z", updated_at: "2026-11-28T12:00:09Z", version: 4, reported: true,
  culprits: [64496], victims: [64500], victim_count: 1, prefixes: ["203.0.113.0/25"], prefix_count: 1, countries: ["NL"],
  vantage_points: { seen: 43, of: 45, peak: 42, now: 0 }, rov: null, constituency: [], as_names: { "64500": "VICTIM" },
};

test("the claim names who, what and whose", () => {
  const whole = { ...item, incident: { covering_prefixes: ["203.0.113.0/24"] } } as never;
  expect(claimOf(whole, en)).toBe("AS64496 announces 203.0.113.0/25, part of AS64500 (VICTIM)'s 203.0.113.0/24.");
  expect(claimOf(whole, fr)).toBe("AS64496 annonce 203.0.113.0/25, partie de 203.0.113.0/24 de AS64500 (VICTIM).");
});

test("many are counted, not listed", () => {
  const many = { ...item, kind: "route_leak", prefix_count: 412, victims: [64500, 64501, 64502], victim_count: 19 } as IncidentItem;
  expect(claimOf(many, en)).toBe("AS64496 passes on 412 prefixes beyond the intended scope.");
  expect(claimOf({ ...many, kind: "moas" }, en)).toContain("AS64500 (VICTIM), AS64501 and 17 others");
});

describe("how long and how far", () => {
  test("of what has ended: its peak", () =>
    expect(extentOf(item, en, 0)).toBe("It lasted 2 h 13 min; at its peak 42 of 45 vantage points had it."));
  test("of what lasts: now", () =>
    expect(extentOf({ ...item, ended_at: null, vantage_points: { seen: 9, of: 45, peak: 9, now: 7 } }, en, Date.parse("2008-02-24T19:00:00Z")))
      .toBe("It has lasted 12 min 3 s so far; 7 of 45 vantage points have it now."));
  test("of an outage: who lost it", () =>
    expect(extentOf({ ...item, kind: "as_outage" }, en, 0)).toContain("had lost it"));
  test("without vantage points nothing is said of them", () =>
    expect(extentOf({ ...item, vantage_points: null }, en, 0)).toBe("It lasted 2 h 13 min."));
});

test("whose it is is told once", () => {
  expect(touchedOf(item, en)).toBeNull();
  const touch = (name: string) => ({ member: name, name, role: "victim" as const });
  expect(touchedOf({ ...item, constituency: [touch("A"), touch("A"), touch("B")] }, en)).toBe("It touches A and B of your constituency.");
});

describe.each([en, fr])("$name", (words) => {
  test.each(KINDS)("%s has a sentence without holes, in neutral words", (kind) => {
    for (const bare of [item, { ...item, kind, culprits: [], victims: [], victim_count: 0, prefixes: [], prefix_count: 0 }]) {
      const text = claimOf({ ...bare, kind }, words);
      expect(text).toMatch(/\.$/);
      expect(text).not.toMatch(/undefined|null|NaN|attack|attaqu/);
    }
  });
});
