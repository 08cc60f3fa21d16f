import { expect, test } from "vitest";
import { inOrder, rowsOf, stepOf } from "./table";
import type { Group } from "./types";

function group(id: string, mean: number | null, ases: number): Group {
  const classes = { ready: 0, aspiring: 0, lagging: 0, no_data: 0 };
  return { id, name: null, ases, address_space: { ipv4_24s: 0, ipv6_48s: 0 }, scores: [{ id: "A1", mean, mean_by_ipv4: null, mean_by_ipv6: null, classes, trend: null }] };
}
const rows = rowsOf([group("FR", 0.9, 5), group("XX", null, 9), group("DE", 0.4, 7), group("AT", 0.9, 1)], "A1");
const names = (order: Parameters<typeof inOrder>[1]) => inOrder(rows, order, ({ id }) => id).map((row) => row.group.id);

test("groups without data come last, from whichever end one reads", () => {
  expect(names("lowest")).toEqual(["DE", "AT", "FR", "XX"]);
  expect(names("highest")).toEqual(["AT", "FR", "DE", "XX"]);
  expect(names("size")).toEqual(["XX", "DE", "FR", "AT"]);
  expect(names("name")).toEqual(["AT", "DE", "FR", "XX"]);
});

test("groups that do not have the score have no row", () => expect(rowsOf([group("FR", 1, 1)], "A2")).toEqual([]));

test("no data is no step of the map, zero is the lowest", () =>
  expect([null, 0, 0.4, 0.599, 0.8, 0.95, 1].map(stepOf)).toEqual([null, 0, 1, 1, 3, 5, 5]));
