import { expect, test } from "vitest";
import type { History, Incident } from "../api/types";
import { en } from "../i18n/en";
import { timelineOf } from "./timeline";

const incident = {
  first_seen: "2008-02-24T18:47:57Z",
  incident: { sample_paths: [], countermeasures: [{ time: "2008-02-24T20:07:25Z", origin: 36561, prefix: "208.65.153.0/24" }], feeds: { impaired: [] } },
} as unknown as Incident;
const version = (change: string, recorded: string, state: string, confidence: number) =>
  ({ change, at: "2008-02-24T18:49:21Z", recorded_at: `2008-02-24T${recorded}Z`, state, confidence, severity: 55, prefix_count: 1 });
const report = (recorded: string) => ({ change: "report_sent", report: "updated", at: `2008-02-24T${recorded}Z`, recorded_at: `2008-02-24T${recorded}Z` });
const told = (...items: object[]) =>
  timelineOf(incident, { items, next: null } as unknown as History, en).map(({ time, title, text }) => `${time.slice(11, 19)} ${title}: ${text}`);

test("what is only said again, and its reports, are one line", () => {
  const lines = told(
    version("opened", "18:48:00", "spreading", 65), report("18:48:00"),
    version("updated", "18:54:00", "ongoing", 75), report("18:54:00"), version("updated", "18:59:00", "ongoing", 75), version("updated", "19:04:00", "ongoing", 75),
  );
  expect(lines).toEqual([
    "18:47:57 First announcement seen: ",
    "18:48:00 Opened: spreading, confidence 65, severity 55, 1 prefix · Reported",
    "18:54:00 Changed: ongoing, confidence 75, severity 55, 1 prefix · Reported · 2 times more the same, until 19:04:00Z",
    "20:07:25 Answer of the affected: AS36561 announces 208.65.153.0/24",
  ]);
});

test("what had ended when it was opened is not ended before it", () => {
  const lines = told(version("opened", "18:50:00", "ended", 50), version("ended", "18:50:00", "ended", 50));
  expect(lines.map((line) => line.slice(0, 15)).slice(1, 3)).toEqual(["18:50:00 Opened", "18:50:00 Ended:"]);
});

test("a change stands where it was found, after what brought it about", () => {
  const lines = told(version("updated", "20:07:30", "ongoing", 99));
  expect(lines.at(-1)).toMatch(/^20:07:30 Changed: ongoing, confidence 99/);
  expect(lines.at(-2)).toMatch(/^20:07:25 Answer/);
});
