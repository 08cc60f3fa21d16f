import { expect, test } from "vitest";
import type { Statistics } from "../api/types";
import { blindSpans, HOUR_MS, hourly } from "./hourly";

const statistics: Statistics = {
  by: "hour", from: "2026-11-28T00:00:00Z", before: "2026-11-28T04:00:00Z",
  buckets: [
    { time: "2026-11-28T01:00:00Z", kind: "route_leak", class: "low", count: 2 },
    { time: "2026-11-28T01:00:00Z", kind: "moas", class: "low", count: 1 },
    { time: "2026-11-28T01:00:00Z", kind: "squatting", class: "low", count: 4 },
    { time: "2026-11-27T01:00:00Z", kind: "moas", class: "low", count: 9 },
  ],
  open: [],
};
const at = (hour: number) => Date.parse(statistics.from) + hour * HOUR_MS;
const gap = (from: string, to: string | null, filled = false) => ({ feed: "f", from, to, filled, detail: null });

test("an hour without a bucket is an hour without incidents, and kinds are gathered in families", () => {
  const hours = hourly(statistics);
  expect(hours.map((hour) => hour.time)).toEqual([at(0), at(1), at(2), at(3)]);
  expect(hours[0]?.counts.leak).toBe(0);
  expect(hours[1]?.counts).toEqual({ hijack: 5, leak: 2, outage: 0, rpki: 0, hygiene: 0 });
});

test("gaps are cut to what is drawn and joined; filled ones hide nothing", () => {
  const spans = blindSpans([
    gap("2026-11-28T03:30:00Z", null),
    gap("2026-11-27T20:00:00Z", "2026-11-28T01:00:00Z"),
    gap("2026-11-28T00:30:00Z", "2026-11-28T02:00:00Z"),
    gap("2026-11-28T02:10:00Z", "2026-11-28T03:00:00Z", true),
    gap("2026-11-26T00:00:00Z", "2026-11-27T00:00:00Z"),
  ], statistics);
  expect(spans).toEqual([{ from: at(0), to: at(2) }, { from: at(3.5), to: at(4) }]);
});
