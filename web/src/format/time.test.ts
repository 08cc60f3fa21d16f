import { expect, test } from "vitest";
import { en } from "../i18n/en";
import { clock, dateAndClock, duration, rfc3339, secondsBetween } from "./time";

test.each([
  [0, "0 s"], [-5, "0 s"], [59, "59 s"], [60, "1 min"], [754, "12 min 34 s"],
  [8017, "2 h 13 min"], [86_400, "1 d"], [90_000, "1 d 1 h"], [86_460, "1 d"],
])("%d seconds are %s", (seconds, words) => expect(duration(seconds, en.units)).toBe(words));

test("a duration can be told to the minute", () => {
  expect(duration(754, en.units, 60)).toBe("12 min");
  expect(duration(59, en.units, 60)).toBe("59 s");
});

test("a fraction is left out of what is read", () => {
  expect(clock("2008-02-24T18:47:57.123456Z")).toBe("18:47:57Z");
  expect(dateAndClock("2008-02-24T18:47:57Z")).toBe("2008-02-24 18:47:57Z");
});

test("a time goes there and back", () =>
  expect(rfc3339(Date.parse("2008-02-24T18:47:57.900Z"))).toBe("2008-02-24T18:47:57Z"));

test("what lasts is measured up to now", () => {
  expect(secondsBetween("2008-02-24T00:00:00Z", null, Date.parse("2008-02-24T00:00:30Z"))).toBe(30);
  expect(secondsBetween("2008-02-24T00:00:00Z", "2008-02-24T00:01:00Z", 0)).toBe(60);
});
