import { expect, test } from "vitest";
import { asnsOf, askedOf, carried, chosenScore, classAsked, groupingOf, monthName, orderAsked, windowDays } from "./question";

const query = (text: string) => new URLSearchParams(text);

test("period and profile are read from the address; what is no period is not asked", () => {
  expect(askedOf(query("period=2026-10&profile=routewarden-1"))).toEqual({ period: "2026-10", profile: "routewarden-1" });
  expect(askedOf(query("period=30d"))).toEqual({ period: "30d", profile: null });
  expect(askedOf(query("period=yesterday"))).toEqual({ period: null, profile: null });
});

test("links carry period and profile on, and nothing empty", () => {
  const asked = { period: "2026-10", profile: null };
  expect(carried("/readiness/as/64500", asked, { score: "A1", class: null })).toBe("/readiness/as/64500?score=A1&period=2026-10");
  expect(carried("/readiness", { period: null, profile: null })).toBe("/readiness");
});

test("what the address does not name is chosen", () => {
  expect([groupingOf(query("by=region")), groupingOf(query("by=world")), groupingOf(query(""))]).toEqual(["region", "country", "country"]);
  expect([chosenScore(query("score=A2"), ["A1", "A2"]), chosenScore(query("score=A9"), ["A1"]), chosenScore(query(""), [])]).toEqual(["A2", "A1", null]);
  expect([classAsked(query("class=no_data")), classAsked(query("class=bad"))]).toEqual(["no_data", null]);
  expect([orderAsked(query("order=best")), orderAsked(query(""))]).toEqual(["best", "worst"]);
});

test.each([
  ["AS64496, 64511", [64496, 64511]], ["64496;64496 as64497", [64496, 64497]], ["", []], ["64496,", [64496]],
  ["hospital", null], ["4294967296", null], ["64496 x", null], ["-1", null],
])("ASNs of %s", (text, asns) => expect(asnsOf(text)).toEqual(asns));

test("months and windows in words", () => {
  expect([monthName("2026-10", "en"), monthName("2026-13", "en"), monthName("30d", "en")]).toEqual(["October 2026", null, null]);
  expect([windowDays("30d"), windowDays("2026-10")]).toEqual([30, null]);
});
