import { expect, test } from "vitest";
import { apart, axisFrom, lines, runs } from "./plot";

test("a score that a period does not have is no data there", () => {
  const history = [
    { period: "2026-09", scores: [{ id: "A1", value: 0.5 }] },
    { period: "2026-10", scores: [{ id: "A1", value: null }, { id: "A2", value: 1 }] },
  ];
  expect(lines(history, ["A1", "A2"])).toEqual([{ id: "A1", values: [0.5, null] }, { id: "A2", values: [null, 1] }]);
});

test("a line breaks where there is no data", () => {
  expect(runs([1, 1, null, 0, null, null, 0.2])).toEqual([[0, 1], [3], [6]]);
  expect(runs([null])).toEqual([]);
});

test("labels do not lie over each other and stay within the drawing", () => {
  const placed = apart([10, 10, 100, 98], 15, 0, 100);
  expect(placed).toEqual([10, 25, 100, 85]);
  expect(apart([50], 15, 0, 100)).toEqual([50]);
});

test("the axis begins at zero unless all values are high", () => {
  const from = (values: (number | null)[]) => axisFrom([{ id: "A1", values }]);
  expect([from([0.2, 0.9]), from([0.5, 1]), from([0.93, null, 1]), from([1])]).toEqual([0, 0.4, 0.8, 0.9]);
});
