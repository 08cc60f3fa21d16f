import { expect, test } from "vitest";
import { heard, serverNow } from "./clock";

test("the server's time is taken from what it says, and goes on from there", () => {
  heard("2008-02-24T18:47:57Z");
  const told = Date.parse("2008-02-24T18:47:57Z");
  expect(serverNow()).toBeGreaterThanOrEqual(told);
  expect(serverNow() - told).toBeLessThan(60_000);
});

test("what is no time changes nothing", () => {
  heard("2008-02-24T18:47:57Z");
  heard("soon");
  expect(new Date(serverNow()).getUTCFullYear()).toBe(2008);
});
