import { expect, test } from "vitest";
import type { Cast, Route } from "./model";
import { tallyOf } from "./tally";

const cast: Cast = { leak: null, roles: new Map([[17557, "culprit"], [36561, "victim"]]) };
const route = (prefix: string, ...path: number[]): Route => ({ source: String(path[0]), peer: path[0] ?? 0, prefix, path, text: path.join(" ") });

test("routes are counted by prefix and by where they lead, the covering prefix first", () => {
  const told = tallyOf([
    route("208.65.153.128/25", 1, 36561), route("208.65.153.0/25", 1, 36561), route("208.65.153.0/24", 1, 17557),
    route("208.65.153.0/24", 2, 36561), route("208.65.152.0/22", 3, 4),
  ], cast);
  expect(told).toEqual([
    { prefix: "208.65.152.0/22", culprit: 0, victim: 0, other: 1 },
    { prefix: "208.65.153.0/24", culprit: 1, victim: 1, other: 0 },
    { prefix: "208.65.153.0/25", culprit: 0, victim: 1, other: 0 },
    { prefix: "208.65.153.128/25", culprit: 0, victim: 1, other: 0 },
  ]);
});
