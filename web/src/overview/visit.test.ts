import { expect, test } from "vitest";
import { visitBefore } from "./visit";

const HOUR = 3_600_000;

test("the first visit has none before it", () =>
  expect(visitBefore(null, 5)).toEqual({ since: null, kept: "0 5" }));

test("after a pause the last look is where the visit before ended", () => {
  expect(visitBefore(`0 ${HOUR}`, 3 * HOUR)).toEqual({ since: HOUR, kept: `${HOUR} ${3 * HOUR}` });
});

test("looking again within a visit does not move the time", () =>
  expect(visitBefore(`${HOUR} ${3 * HOUR}`, 3 * HOUR + 5)).toEqual({ since: HOUR, kept: `${HOUR} ${3 * HOUR + 5}` }));

test.each(["rubbish", "1 x", `0 ${9 * HOUR}`])("%j is no visit", (stored) =>
  expect(visitBefore(stored, HOUR).since).toBeNull());
