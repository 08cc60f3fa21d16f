import { expect, test } from "vitest";
import { filtersOf, narrowing } from "./filters";

test("what is no filter stays out of the question to the API", () => {
  const filters = filtersOf(new URLSearchParams("kind=moas&row=RW-1&asn=64496&role=victim&sort=first_seen&state="));
  expect(filters).toEqual({ kind: "moas", asn: "64496", role: "victim", sort: "first_seen" });
  expect(narrowing(filters)).toBe(2);
});

test("a role needs an AS, a match needs a prefix", () =>
  expect(filtersOf(new URLSearchParams("role=victim&match=exact"))).toEqual({}));

test("only what is open is ordered by severity", () => {
  expect(filtersOf(new URLSearchParams("sort=-severity"))).toEqual({});
  expect(filtersOf(new URLSearchParams("open=true&sort=-severity"))).toEqual({ open: "true", sort: "-severity" });
});
