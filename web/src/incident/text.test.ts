import { expect, test } from "vitest";
import type { Incident } from "../api/types";
import { en } from "../i18n/en";
import { plainText } from "./text";
import { timelineOf } from "./timeline";

const reason = (n: number, weight: number) => ({ rule: `rule_${n}`, weight, text: `Reason ${n}.`, facts: {} });
const path = (time: string) => ({ time, collector: "rrc00", peer_asn: 64508, peer_addr: "192.0.2.8", prefix: "203.0.113.0/25", path: "64508 64496" });
const incident = {
  id: "RW-20080224-1a2b3c4d", kind: "sub_prefix_hijack", state: "ended", class: "high", confidence: 97, severity: 71,
  first_seen: "2008-02-24T18:47:57Z", last_seen: "2008-02-24T20:50:37Z", ended_at: "2008-02-24T21:01:34Z",
  culprits: [64496], victims: [64500], victim_count: 1, prefixes: Array.from({ length: 9 }, (_, n) => `203.0.113.${n}/32`), prefix_count: 900,
  countries: [], vantage_points: { seen: 43, of: 45, peak: 42, now: 0 }, constituency: [{ member: "a", name: "A", role: "victim" }], as_names: {},
  incident: {
    covering_prefixes: [], recurrences: 0, evidence: [1, 2, 3, 4, 5].map((n) => reason(n, n * 5)), counter_evidence: [6, 7, 8].map((n) => reason(n, -10)),
    sample_paths: [path("2008-02-24T18:47:57Z"), path("2008-02-24T18:48:00Z"), path("2008-02-24T18:49:00Z")],
    countermeasures: [{ time: "2008-02-24T20:07:25Z", prefix: "203.0.113.0/25", origin: 64500, action: "same_prefix" }],
    feeds: { impaired: [{ collector: "rrc04", state: "gap", from: "2008-02-24T19:00:00Z", until: null }] },
  },
} as unknown as Incident;

test("a block for a mail has at most 15 lines, the heaviest reasons first, those against included", () => {
  const lines = plainText(incident, en, 0, "https://example.net/incidents/RW-20080224-1a2b3c4d").split("\n");
  expect(lines.length).toBeLessThanOrEqual(15);
  expect(lines.at(-1)).toContain("https://");
  expect(lines.findIndex((line) => line.includes("+25 Reason 5."))).toBeLessThan(lines.findIndex((line) => line.includes("+20 Reason 4.")));
  expect(lines.some((line) => line.includes("-10 Reason 6."))).toBe(true);
});

test("the timeline is in the order of time, whoever tells it", () => {
  const history = { id: incident.id, next: null, items: [{
    seq: 1, change: "report_sent" as const, at: "2008-02-24T19:30:00Z", recorded_at: "2008-02-24T19:30:00Z", version: 1, report: "opened",
    kind: null, state: null, class: null, confidence: null, severity: null, last_seen: null, ended_at: null, prefix_count: null,
    vantage_points: null, reports: [],
  }] };
  expect(timelineOf(incident, history, en).map((moment) => moment.mark)).toEqual(["seen", "feed", "detector", "answer"]);
});
