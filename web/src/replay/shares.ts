import { covers, type PrefixBits, prefixBits } from "../format/prefix";
import { type Cast, type Film, type Route, sideOf } from "./model";

/** How many sources send traffic where, from a time on. Times are in milliseconds since 1970. */
export interface Share {
  time: number;
  culprit: number;
  victim: number;
  other: number;
}
type Side = "culprit" | "victim" | "other";

/** With more prefixes than this no longer prefix of the affected is weighed against a shorter one. */
const WEIGHED_MAX = 32;

/**
 * Where the traffic of each source goes over time. A source counts for the culprit while it has a route
 * that leads to or through it, unless it has a longer one to the affected within: routers prefer that.
 */
export function sharesOf(film: Film, sources: number, cast: Cast): Share[] {
  const tables = new Map<string, Map<string, Route>>();
  const sides = new Map<string, Side>();
  const counts = { culprit: 0, victim: 0, other: sources };
  const bits = bitsOf(film);
  const table = (source: string) => {
    const known = tables.get(source) ?? new Map<string, Route>();
    tables.set(source, known);
    return known;
  };
  const weigh = (source: string) => {
    counts[sides.get(source) ?? "other"]--;
    const side = sideOfTable([...table(source).values()], cast, bits);
    sides.set(source, side);
    counts[side]++;
  };
  for (const route of film.initial) table(route.source).set(route.prefix, route);
  for (const source of tables.keys()) weigh(source);

  const shares: Share[] = [{ time: film.start, ...counts }];
  for (const step of film.steps) {
    if (step.route) table(step.source).set(step.prefix, step.route);
    else table(step.source).delete(step.prefix);
    weigh(step.source);
    const last = shares.at(-1);
    if (last?.time === step.time) Object.assign(last, counts);
    else shares.push({ time: step.time, ...counts });
  }
  return shares;
}

/** The last moment at which most sources sent traffic to or through the culprit; null when none ever did. */
export function peakOf(shares: Share[]): number | null {
  const peak = shares.reduce<Share | null>((best, one) => (one.culprit > 0 && one.culprit >= (best?.culprit ?? 0) ? one : best), null);
  return peak?.time ?? null;
}

function bitsOf(film: Film): Map<string, PrefixBits> {
  const texts = new Set([...film.initial.map((route) => route.prefix), ...film.steps.map((step) => step.prefix)]);
  if (texts.size > WEIGHED_MAX) return new Map();
  return new Map([...texts].flatMap((text) => {
    const bits = prefixBits(text);
    return bits ? [[text, bits] as const] : [];
  }));
}

function sideOfTable(routes: Route[], cast: Cast, bits: Map<string, PrefixBits>): Side {
  const to = (side: Side) => routes.filter((route) => sideOf(route.path, cast) === side);
  const victims = to("victim");
  const stands = to("culprit").some((route) => !victims.some((other) => {
    const [whole, part] = [bits.get(route.prefix), bits.get(other.prefix)];
    return whole !== undefined && part !== undefined && covers(whole, part);
  }));
  if (stands) return "culprit";
  return victims.length > 0 ? "victim" : "other";
}
