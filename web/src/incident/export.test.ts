import { expect, test } from "vitest";
import type { IncidentItem } from "../api/types";
import { en } from "../i18n/en";
import { incidentsCsv, incidentsText } from "./export";
import { Marks, MARKED_MAX } from "./marks.svelte";

const item: IncidentItem = {
  number: 17, id: "RW-20080224-1a2b3c4d", detector_id: "RW-20080224-1a2b3c4d", kind: "sub_prefix_hijack", state: "ended",
  class: "high", confidence: 97, severity: 71, first_seen: "2008-02-24T18:47:57Z", last_seen: "2008-02-24T20:50:37Z",
  ended_at: "2008-02-24T21:01:36Z", opened_at: "2026-11-28T12:00:03Z", updated_at: "2026-11-28T12:00:09Z", version: 4,
  reported: true, culprits: [64496], victims: [64500, 64501], victim_count: 2, prefixes: ["203.0.113.0/25"], prefix_count: 1,
  countries: ["NL"], vantage_points: { seen: 9, of: 11, peak: 9, now: 0 }, rov: { state: "not_found", reason: null },
  constituency: [{ member: "=1+1", name: "Example", role: "victim" }], as_names: {},
};

test("the CSV has a cell for each column, and no formula", () => {
  const [head, row, end] = incidentsCsv([item]).split("\r\n");
  expect(end).toBe("");
  expect(head?.split(",")).toHaveLength(22);
  expect(row).toBe(
    "RW-20080224-1a2b3c4d,17,sub_prefix_hijack,ended,high,97,71,2008-02-24T18:47:57Z,2008-02-24T20:50:37Z," +
      "2008-02-24T21:01:36Z,64496,64500 64501,203.0.113.0/25,1,NL,9,11,not_found,'=1+1,2026-11-28T12:00:03Z,2026-11-28T12:00:09Z,4",
  );
});

test("the text of an incident names what happened and where to read on", () => {
  const text = incidentsText([item], en, 0, "https://rw.example");
  expect(text).toContain("AS64496 announces 203.0.113.0/25");
  expect(text).toContain("https://rw.example/incidents/RW-20080224-1a2b3c4d");
});

test("marks are bounded, and say so", () => {
  const marks = new Marks();
  const many = Array.from({ length: MARKED_MAX + 1 }, (_, at) => ({ ...item, id: `RW-${at}` }));
  marks.set(many, true);
  expect(marks.all.size).toBe(MARKED_MAX);
  expect(marks.full).toBe(true);
  marks.toggle(many[0] as IncidentItem);
  expect(marks.all.size).toBe(MARKED_MAX - 1);
  marks.clear();
  expect(marks.all.size).toBe(0);
});
