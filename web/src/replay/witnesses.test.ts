import { expect, test } from "vitest";
import type { Cast, Film, Route, Step } from "./model";
import { witnessesOf } from "./witnesses";

const cast: Cast = { leak: null, roles: new Map([[64666, "culprit"], [64500, "victim"]]) };
const route = (source: string, prefix: string, ...path: number[]): Route => ({ source, peer: path[0] ?? 0, prefix, path, text: path.join(" ") });
const step = (time: number, source: string, prefix: string, ...path: number[]): Step => ({
  time, inferred: false, source, prefix, peer: path[0] ?? 0, route: path.length > 0 ? route(source, prefix, ...path) : null,
});
const film = (initial: Route[], ...steps: Step[]): Film => ({ start: 0, end: 100, initial, steps });

test("a vantage point had it from its first route to the culprit until it lost the last of them", () => {
  const found = witnessesOf(film(
    [route("a", "p", 1, 64500), route("b", "p", 2, 64500)],
    step(10, "a", "q", 1, 64666), step(20, "a", "r", 1, 3, 64666), step(30, "a", "q"), step(40, "a", "r", 1, 64500),
    step(15, "b", "q", 2, 64666),
  ), cast);
  expect(found.map(({ source, from, until, route: { prefix } }) => [source, from, until, prefix])).toEqual([["a", 10, 40, "q"], ["b", 15, null, "q"]]);
});

test("who gets it back has it until it is lost again", () => {
  const found = witnessesOf(film([], step(10, "a", "q", 1, 64666), step(20, "a", "q"), step(30, "a", "q", 1, 64666)), cast);
  expect(found.map(({ from, until }) => [from, until])).toEqual([[10, null]]);
});

test("whose routes lead elsewhere is no witness", () => {
  expect(witnessesOf(film([route("a", "p", 1, 64500)], step(10, "a", "p")), cast)).toEqual([]);
});
