import { describe, expect, test } from "vitest";
import { destinationOf, pathOf, routeOf, type Route } from "./routes";

const routes: Route[] = [
  { page: "overview" },
  { page: "incidents" },
  { page: "incident", id: "RW-20080224-1a2b3c4d" },
  { page: "as", asn: 64500 },
  { page: "prefix", prefix: "192.0.2.0/24" },
  { page: "prefix", prefix: "2001:db8::/32" },
  { page: "country", code: "NL" },
  { page: "table" },
  { page: "readiness" },
  { page: "readiness-group", by: "country", id: "FR" },
  { page: "readiness-group", by: "sector", id: "health & care" },
  { page: "readiness-as", asn: 64500 },
  { page: "readiness-compare" },
  { page: "feeds" },
  { page: "settings", section: "tokens" },
  { page: "setup" },
];

test.each(routes)("$page has an address and is found by it", (route) =>
  expect(routeOf(pathOf(route))).toEqual(route));

test.each(["/nothing", "/incidents/../x", "/as/4294967296", "/as/x", "/prefix/zz/24", "/country/nld", "/settings/x", "/readiness/country", "/readiness/planet/x", "/readiness/as/x", "/%zz"])(
  "%s is no page",
  (path) => expect(routeOf(path)).toEqual({ page: "missing" }),
);

test("the settings begin with the account", () =>
  expect(routeOf("/settings")).toEqual({ page: "settings", section: "account" }));

test("an escaped slash of a prefix is a slash", () =>
  expect(routeOf("/prefix/192.0.2.0%2F24")).toEqual({ page: "prefix", prefix: "192.0.2.0/24" }));

describe("the search box", () => {
  test.each([
    ["AS64500", "/as/64500"],
    ["64500", "/as/64500"],
    [" 192.0.2.0/24 ", "/prefix/192.0.2.0/24"],
    ["192.0.2.1", "/prefix/192.0.2.1/32"],
    ["2001:DB8::1", "/prefix/2001:db8::1/128"],
    ["2001:db8::/32", "/prefix/2001:db8::/32"],
    ["nl", "/country/NL"],
    ["rw-20080224-1A2B3C4D", "/incidents/RW-20080224-1a2b3c4d"],
    ["a hospital", null],
  ])("%s leads to %s", (text, path) => expect(destinationOf(text)).toBe(path));
});
