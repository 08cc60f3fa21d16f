import { expect, test } from "vitest";
import type { Cast, Film, Route } from "./model";
import { sharesOf } from "./shares";

const cast: Cast = { leak: null, roles: new Map([[17557, "culprit"], [36561, "victim"]]) };
const route = (source: string, prefix: string, path: number[]): Route => ({ source, peer: path[0] ?? 0, prefix, path, text: path.join(" ") });
const step = (time: number, source: string, prefix: string, path: number[] | null) => ({
  time, inferred: false, source, peer: 0, prefix, route: path ? route(source, prefix, path) : null,
});
const film: Film = {
  start: 0, end: 100,
  initial: [route("a", "208.65.152.0/22", [3549, 36561]), route("b", "208.65.152.0/22", [3356, 36561])],
  steps: [
    step(10, "a", "208.65.153.0/24", [3549, 17557]),
    step(20, "b", "208.65.153.0/24", [3356, 3491, 17557]),
    step(20, "c", "208.65.153.0/24", [6939, 17557]),
    step(30, "a", "208.65.153.0/25", [3549, 36561]),
    step(40, "b", "208.65.153.0/24", [3356, 36561]),
    step(50, "c", "208.65.153.0/24", null),
  ],
};

test("a more specific of the affected brings the traffic back, as a route of its own does", () =>
  expect(sharesOf(film, 3, cast)).toEqual([
    { time: 0, culprit: 0, victim: 2, other: 1 },
    { time: 10, culprit: 1, victim: 1, other: 1 },
    { time: 20, culprit: 3, victim: 0, other: 0 },
    { time: 30, culprit: 2, victim: 1, other: 0 },
    { time: 40, culprit: 1, victim: 2, other: 0 },
    { time: 50, culprit: 0, victim: 2, other: 1 },
  ]));

test("a route through the culprit counts for it, whoever the origin is", () => {
  const leak: Film = { start: 0, end: 9, initial: [], steps: [step(1, "a", "192.0.2.0/24", [64508, 17557, 36561])] };
  expect(sharesOf(leak, 1, cast).at(-1)).toEqual({ time: 1, culprit: 1, victim: 0, other: 0 });
});
