import { describe, expect, test } from "vitest";
import css from "./tokens.css?raw";

/** Reads `--name: #rrggbb;` and `--name: light-dark(#rrggbb, #rrggbb);`. */
function tokens(theme: "light" | "dark"): Map<string, string> {
  const found = new Map<string, string>();
  for (const [, name, value] of css.matchAll(/--([a-z0-9-]+):\s*([^;]+);/g)) {
    const pair = value?.match(/^light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)$/);
    const one = value?.match(/^#[0-9a-f]{6}$/);
    const colour = pair ? (theme === "light" ? pair[1] : pair[2]) : one?.[0];
    if (name && colour) found.set(name, colour);
  }
  return found;
}

/** Relative luminance, WCAG 2.2. */
function luminance(hex: string): number {
  const channel = (at: number) => {
    const c = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
}

function contrast(a: string, b: string): number {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

const inks = [
  "text", "muted", "accent", "critical", "high", "medium", "low", "info",
  "good-text", "bad-text", "victim-text", "culprit-text",
];
const grounds = ["page", "surface", "raised"];

describe.each(["light", "dark"] as const)("%s", (theme) => {
  const all = tokens(theme);
  const ratio = (a: string, b: string) => contrast(all.get(a) ?? "", all.get(b) ?? "");

  test.each(inks.flatMap((ink) => grounds.map((ground) => [ink, ground] as const)))(
    "%s can be read on %s",
    (ink, ground) => expect(ratio(ink, ground)).toBeGreaterThanOrEqual(4.5),
  );
  test("a button's words can be read", () =>
    expect(ratio("on-accent", "accent")).toBeGreaterThanOrEqual(4.5));
  test.each(grounds)("the edge of a control is seen on %s", (ground) =>
    expect(ratio("edge", ground)).toBeGreaterThanOrEqual(3));
  test.each(["ready", "aspiring", "lagging"])("the drawn colour of %s is seen", (name) =>
    expect(ratio(name, "surface")).toBeGreaterThanOrEqual(3));
  test.each(["victim", "culprit"])("the drawn colour of the %s is seen", (who) =>
    expect(ratio(who, "surface")).toBeGreaterThanOrEqual(3));
});

test("black on white is 21:1, so the reckoning is right", () =>
  expect(contrast("#000000", "#ffffff")).toBeCloseTo(21, 5));
