import { describe, expect, test } from "vitest";
import { classOf, difference, hatch, parts, percent, placeText, points, rawText, withData } from "./score";

const bounds = { aspiring_from_percent: 60, ready_from_percent: 80 };

describe("a score in percent", () => {
  test.each([[1, "100\u00a0%"], [0, "0\u00a0%"], [0.4856, "48.5\u00a0%"], [0.57, "57\u00a0%"], [0.934, "93.4\u00a0%"]])("%d", (score, text) =>
    expect(percent(score, "en")).toBe(text));
  test("is rounded down: what is below a class does not look like it", () => {
    expect(percent(0.799999999, "en")).toBe("79.9\u00a0%");
    expect(classOf(0.799999999, bounds)).toBe("aspiring");
  });
  test("no data is no number", () => expect(percent(null, "en")).toBeNull());
  test("is written as the language does", () => expect(percent(0.4856, "fr")).toBe("48,5\u00a0%"));
});

test("classes begin at the percentages of the profile", () =>
  expect([0.8, 0.6, 0.599, 0, null].map((score) => classOf(score, bounds))).toEqual(["ready", "aspiring", "lagging", "lagging", "no_data"]));

test("differences have their sign, and agree with the scores as they are read", () => {
  expect([0.0123, -0.0123, 0.0001].map((one) => points(one, "en"))).toEqual(["+1.2", "−1.2", "0"]);
  expect(points(difference(0.485640, 1), "en")).toBe("−51.5");
});

test("a place that others share says so", () => {
  expect(placeText({ place: 12, ties: 4 }, "en")).toBe("=12");
  expect(placeText({ place: 1200, ties: 1 }, "en")).toBe("1,200");
});

test("raw values keep the digits that count", () => {
  expect([3.5, 2, 0.99975, null].map((raw) => rawText(raw, "en"))).toEqual(["3.5", "2", "0.9998", null]);
});

describe("the parts of a bar", () => {
  const counts = { ready: 2, aspiring: 0, lagging: 1, no_data: 1 };
  test("stand side by side, without those of which there are none", () =>
    expect(parts(counts)).toEqual([
      { class: "ready", count: 2, from: 0, share: 0.5 }, { class: "lagging", count: 1, from: 0.5, share: 0.25 }, { class: "no_data", count: 1, from: 0.75, share: 0.25 },
    ]));
  test("of nobody are none", () => expect(parts({ ready: 0, aspiring: 0, lagging: 0, no_data: 0 })).toEqual([]));
  test("those without data are not with data", () => expect(withData(counts)).toBe(3));
});

test("a hatch stays within its box", () => {
  const numbers = [...hatch(10, 2, 23, 12).matchAll(/[ML](-?[\d.]+) (-?[\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)]);
  expect(numbers.length).toBeGreaterThan(8);
  for (const [x = 0, y = 0] of numbers) {
    expect(x).toBeGreaterThanOrEqual(10);
    expect(x).toBeLessThanOrEqual(33);
    expect(y).toBeGreaterThanOrEqual(2);
    expect(y).toBeLessThanOrEqual(14);
  }
});
