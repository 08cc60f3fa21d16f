import { describe, expect, test } from "vitest";
import type { Replay, ReplayEvent } from "../api/types";
import { fold } from "./fold";
import { allRoutes, castOf, filmOf, hasTrail, routesAfter, sideOf, stepsUpTo, withoutPrepending } from "./model";

const announce = (timestamp: string, source_id: string, path: number[]): ReplayEvent => ({
  type: "A", timestamp, inferred: false,
  attrs: { source_id, target_prefix: "203.0.113.0/25", path, path_text: path.join(" "), community: [] },
});

const replay: Replay = {
  id: "RW-20080224-1a2b3c4d",
  query_starttime: "2008-02-24T18:47:57Z", query_endtime: "2008-02-24T21:00:00Z",
  targets: [{ prefix: "203.0.113.0/25" }],
  sources: [
    { id: "a", as_number: 64508, ip: "192.0.2.1", rrc: "rrc00" },
    { id: "b", as_number: 64509, ip: "192.0.2.2", rrc: "rrc00" },
  ],
  nodes: [
    { as_number: 64496, owner: "CULPRIT", role: "culprit" },
    { as_number: 64500, owner: "VICTIM", role: "victim" },
  ],
  initial_state: [],
  events: [
    announce("2008-02-24T18:47:57Z", "a", [64508, 64497, 64497, 64496]),
    announce("2008-02-24T18:48:07Z", "b", [64509, 64497, 64496]),
    announce("2008-02-24T20:18:43Z", "a", [64508, 64500]),
    { type: "W", timestamp: "2008-02-24T21:00:00Z", inferred: true, attrs: { source_id: "b", target_prefix: "203.0.113.0/25", path: [], path_text: "", community: [] } },
  ],
  visibility: [], countermeasures: [], sessions: [], basis: { samples: 3, versions: 2, events: 0, complete: false, reason: "no_trail" },
};
const film = filmOf(replay);
const cast = castOf(replay, null);
const at = (time: string) => routesAfter(film, stepsUpTo(film, Date.parse(time)));
const origins = (time: string) => at(time).map((route) => sideOf(route.path, cast));

test("a trail that lacks its beginning is a trail; samples are none", () => {
  const basis = (reason: string | null, events: number) => ({ ...replay, basis: { ...replay.basis, events, reason, complete: reason === null } });
  expect(hasTrail(basis(null, 4))).toBe(true);
  expect(hasTrail(basis("opened_late", 4))).toBe(true);
  expect(hasTrail(basis("no_trail", 0))).toBe(false);
  expect(hasTrail(basis("removed", 0))).toBe(false);
});
test("before the first event nobody has it", () => expect(at("2008-02-24T18:47:56Z")).toEqual([]));
test("an event stands at its very second", () => expect(origins("2008-02-24T18:47:57Z")).toEqual(["culprit"]));
test("a new route takes the place of the old one of the same source", () =>
  expect(origins("2008-02-24T20:18:43Z")).toEqual(["victim", "culprit"]));
test("a withdrawal takes the route away", () => expect(origins("2008-02-24T21:00:00Z")).toEqual(["victim"]));
test("prepending is one AS", () => expect(withoutPrepending([1, 2, 2, 3, 2])).toEqual([1, 2, 3, 2]));
test("what stood at the start is there before all events", () => {
  const standing = filmOf({ ...replay, initial_state: [{ source_id: "a", target_prefix: "203.0.113.0/25", path: [64508, 64500], path_text: "64508 64500", community: [] }] });
  expect(routesAfter(standing, 0)).toHaveLength(1);
});
test("an event outside of the times that the answer names widens the film", () => {
  const wide = filmOf({ ...replay, events: [announce("2008-02-24T10:00:00Z", "a", [64508, 64496])] });
  expect(wide.start).toBe(Date.parse("2008-02-24T10:00:00Z"));
});

describe("folding", () => {
  const route = (path: number[]) => ({ source: String(path[0]), peer: path[0] ?? 0, prefix: "203.0.113.0/25", path, text: "" });
  const many = Array.from({ length: 100 }, (_, n) => route([65536 + n, 64497, 64496]));

  test("few ASes are all drawn", () => {
    const drawn = fold(allRoutes(film));
    expect(drawn.members.size).toBe(5);
    expect(drawn.hidden).toBe(0);
  });
  test("vantage points that tell the same are one node with their number", () => {
    const drawn = fold(many);
    expect(drawn.members.size).toBe(3);
    expect([...drawn.members.values()].map((asns) => asns.length).sort((a, b) => b - a)).toEqual([100, 1, 1]);
    expect(drawn.hidden).toBe(0);
  });
  test("a vantage point that passes on is not folded", () => {
    const drawn = fold([...many, route([65700, 65536, 64496])]);
    expect(drawn.standIn.get(65536)).toBe("65536");
  });
  test("what there is no room for is counted", () => {
    const all = Array.from({ length: 100 }, (_, n) => route([65536 + n, 1000 + n, 64496]));
    const drawn = fold(all, 60);
    expect(drawn.members.size).toBe(60);
    expect(drawn.hidden).toBe(141);
    expect(drawn.standIn.get(64496)).toBe("64496");
  });
});

test("a route leads over a leak only where who got it, who leaked it and whom it is from stand in a row", () => {
  const roles = new Map([[64502, "culprit"], [64506, "propagator"]] as const);
  const side = (...path: number[]) => sideOf(path, { roles, leak: { rfc7908_type: 1, to: 64501, by: 64502, from: 64503 } });
  expect(side(64500, 64501, 64502, 64503, 64504)).toBe("culprit");
  expect(side(64500, 64506, 64502, 64503, 64504)).toBe("culprit");
  expect(side(64500, 64501, 64502, 64505)).toBe("other");
  expect(side(64500, 64502, 64503, 64504)).toBe("other");
  expect(side(64502, 64503, 64504)).toBe("other");
});
