import { expect, test } from "vitest";
import { differ, incidentsOf, standings, widest } from "./compare";
import { adds, byScore, costs, lowest, sourcesOf } from "./metrics";
import type { AsReadiness, Metric, Profile } from "./types";

const metric = (id: string, more: Partial<Metric> = {}): Metric => ({
  id, title: id, formula: "", raw: 0, score: 1, state: "scored", no_data: null, no_data_text: null, inputs: {}, incidents: [], ...more,
});
function network(scores: Record<string, number | null>, metrics: Metric[] = []): AsReadiness {
  const actions = Object.entries(scores).map(([id, score]) => ({ id, title: id, score, class: "ready" as const, raw: null, missing: [] }));
  return {
    asn: 64496, name: null, country: null, registry: null, region: null, sectors: [], participant: [], conformance: [],
    address_space: { ipv4_24s: 0, ipv6_48s: 0 }, prefixes: { ipv4: 0, ipv6: 0 }, metrics, actions, advice: [], history: [], rov: null,
  };
}

test("the best is named; who has no data is neither best nor behind", () => {
  const all = [network({ A1: 1 }), network({ A1: 0.6 }), network({ A1: null }), network({ A1: 1 })];
  expect(standings(all, "A1").map(({ behind, isBest, best }) => [behind, isBest, best])).toEqual([[0, true, 2], [-0.4, false, 2], [null, false, 2], [0, true, 2]]);
});

test("nobody is best where nobody has data", () =>
  expect(standings([network({ A1: null }), network({ A1: null })], "A1").some((one) => one.isBest)).toBe(false));

test("nobody is best of those that are all the same", () => {
  const differs = (...scores: (number | null)[]) => standings(scores.map((A1) => network({ A1 })), "A1").map((one) => one.differs);
  expect([differs(0, 0, null), differs(1, 0)]).toEqual([[false, false, false], [true, true]]);
});

test("where those compared differ most", () => {
  expect(widest([network({ A1: 1, A2: 0.2 }), network({ A1: 0.9, A2: 0.8 })])).toMatchObject({ id: "A2", by: 0.6 });
  expect(widest([network({ A1: 1 }), network({ A1: 1 })])).toBeNull();
  expect(widest([network({ A1: null }), network({ A1: 1 })])).toBeNull();
});

test("only what is scored counts", () => {
  expect(incidentsOf(network({}, [metric("M2", { inputs: { incidents: 2 } }), metric("M1", { state: "informational", inputs: { incidents: 5 } })]))).toBe(2);
  expect([costs(metric("M2", { score: 0.6 })), costs(metric("M1", { score: 0.6, state: "informational" })), costs(metric("M5", { score: null, state: "no_data" }))]).toEqual([true, false, false]);
  expect(differ(["1", "1"])).toBe(false);
});

test("metrics stand under the score that is made of them, the others at the end", () => {
  const profile = { scores: [{ id: "A1", title: "", metrics: ["M2"] }] } as unknown as Profile;
  const parts = byScore(network({ A1: 1 }, [metric("M1"), metric("M2")]), profile);
  expect(parts.map((part) => [part.score, part.metrics.map((one) => one.id)])).toEqual([["A1", ["M2"]], [null, ["M1"]]]);
});

test("a metric's freshness is that of what it is made from", () => {
  const sources = ["incidents", "delegations", "vrps", "routes", "irr"].map((input) => ({ input, name: input, date: null, sha256: null, entries: 1 }));
  const of = (id: string) => sourcesOf(id, sources).map((one) => one.input);
  expect([of("M2C"), of("M3-administrative"), of("M7RPKIN"), of("M7IRR"), of("unheard-of")]).toEqual([["incidents"], ["incidents", "delegations"], ["vrps", "routes"], ["routes", "irr"], []]);
});

test("an incident adds its coefficient by its weight", () =>
  expect(adds({ from: "", until: "", coefficient: 2, weight_percent: 50, events: [] })).toBe(1));

test("the lowest score is of those that have data and are not whole", () => {
  expect(lowest(network({ A1: 0.6, A2: 0.2, A3: null, A4: 1 }).actions)?.id).toBe("A2");
  expect(lowest(network({ A1: 1, A3: null }).actions)).toBeNull();
});
