import { expect, test } from "vitest";
import type { IncidentItem } from "../api/types";
import { inOrder, perKind } from "./order";

const item = (id: string, kind: string, state: string, severity: string, first_seen: string) =>
  ({ id, kind, state, class: severity, first_seen }) as unknown as IncidentItem;
const items = [
  item("old", "rpki_invalid", "ongoing", "high", "2008-02-19T00:00:00Z"),
  item("low", "prefix_outage", "ongoing", "low", "2008-02-24T18:50:00Z"),
  item("new", "rpki_invalid", "ongoing", "high", "2008-02-24T00:00:00Z"),
  item("hijack", "sub_prefix_hijack", "spreading", "medium", "2008-02-24T18:47:57Z"),
];

test("what spreads comes before what only stands, the graver and the newer before the rest", () => {
  expect(inOrder(items).map((one) => one.id)).toEqual(["hijack", "new", "old", "low"]);
});

test("kinds are counted, the most first", () => {
  expect(perKind(items)).toEqual([["rpki_invalid", 2], ["prefix_outage", 1], ["sub_prefix_hijack", 1]]);
});
