import { describe, expect, test } from "vitest";
import { countTicks, largest, pointAt, type Series, stacked, timeTicks } from "./scale";

describe("counts", () => {
  test.each([
    [0, [0, 1]], [1, [0, 1]], [3, [0, 1, 2, 3]], [7, [0, 2, 4, 6, 8]], [45, [0, 20, 40, 60]], [1234, [0, 500, 1000, 1500]],
  ])("up to %i", (max, ticks) => expect(countTicks(max)).toEqual(ticks));
});

describe("times", () => {
  const at = (text: string) => Date.parse(text);
  const labels = (from: string, to: string, count: number) => timeTicks(at(from), at(to), count).map((tick) => tick.label);
  test("of seconds have seconds", () =>
    expect(labels("2008-02-24T18:47:57Z", "2008-02-24T18:48:30Z", 4)).toEqual(["18:48:00Z", "18:48:10Z", "18:48:20Z", "18:48:30Z"]));
  test("of hours have minutes", () =>
    expect(labels("2008-02-24T18:47:57Z", "2008-02-24T21:01:36Z", 5)).toEqual(["19:00Z", "19:30Z", "20:00Z", "20:30Z", "21:00Z"]));
  test("name the day at midnight", () =>
    expect(labels("2008-02-24T13:00:00Z", "2008-02-25T13:00:00Z", 5)).toEqual(["18:00Z", "02-25", "06:00Z", "12:00Z"]));
  test("are never too many, whatever the span", () => {
    for (const days of [1 / 86_400, 0.1, 3, 400, 40_000]) {
      expect(timeTicks(0, days * 86_400_000, 6).length).toBeLessThanOrEqual(days > 2190 ? 120 : 7);
    }
  });
});

const series: Series[] = [
  { name: "a", colour: "--a", points: [[0, 1], [10, 2]] },
  { name: "b", colour: "--b", points: [[0, 3], [10, 0]] },
];
test("parts stand on each other", () => expect(stacked(series)).toEqual([[[0, 1], [0, 2]], [[1, 4], [2, 2]]]));
test("the largest is the sum of parts, but one of lines", () => {
  const drawing = { from: 0, to: 10, series, blind: [], marks: [] };
  expect(largest({ ...drawing, form: "parts" })).toBe(4);
  expect(largest({ ...drawing, form: "lines" })).toBe(3);
});
test.each([[-1, -1], [0, 0], [9, 0], [10, 1], [99, 1]])("at %i the point is %i", (time, at) =>
  expect(pointAt(series[0]?.points ?? [], time)).toBe(at));
