import type { Asked } from "./api";
import { type By, CLASSES, GROUPINGS, type Order, ORDERS, type ReadinessClass } from "./types";

/** The words that the API takes for a period: a month or a window. */
const PERIOD = /^(\d{4}-\d{2}|\d{1,2}d)$/;
/** Fewest and most networks side by side. */
export const COMPARED_MIN = 2;
export const COMPARED_MAX = 10;
const ASN_MAX = 4_294_967_295;

/** Period and profile as they stand in the address; null is the server's own. */
export function askedOf(query: URLSearchParams): Asked {
  const period = query.get("period");
  return { period: period && PERIOD.test(period) ? period : null, profile: query.get("profile") };
}

/** Period and profile carried on to another page of readiness, with what else it is asked. */
export function carried(path: string, asked: Asked, more: Record<string, string | null | undefined> = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries({ ...more, ...asked })) if (value) query.set(name, value);
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}

export function groupingOf(query: URLSearchParams): Exclude<By, "world"> {
  return GROUPINGS.find((one) => one === query.get("by")) ?? "country";
}

/** The chosen score, when the answer has it; else its first; null when the profile has none. */
export function chosenScore(query: URLSearchParams, ids: readonly string[]): string | null {
  return ids.find((one) => one === query.get("score")) ?? ids[0] ?? null;
}

export function classAsked(query: URLSearchParams): ReadinessClass | null {
  return CLASSES.find((one) => one === query.get("class")) ?? null;
}

export function orderAsked(query: URLSearchParams): Order {
  return ORDERS.find((one) => one === query.get("order")) ?? "worst";
}

/** ASNs of a text, with or without `AS`, apart by commas or spaces; each once. Null when a part is none. */
export function asnsOf(text: string): number[] | null {
  const read = text.split(/[\s,;]+/).filter(Boolean).map((one) => Number(/^(?:as)?(\d{1,10})$/i.exec(one)?.[1] ?? Number.NaN));
  return read.every((asn) => asn <= ASN_MAX) ? [...new Set(read)] : null;
}

/** A month or window in words: `October 2026`; null when it is none. */
export function monthName(id: string, locale: string): string | null {
  if (!/^\d{4}-\d{2}$/.test(id)) return null;
  const date = new Date(`${id}-01T00:00:00Z`);
  return Number.isNaN(date.getTime()) ? null : date.toLocaleDateString(locale, { month: "long", year: "numeric", timeZone: "UTC" });
}

/** Days of a window, as `30d`; null when it is none. */
export function windowDays(id: string): number | null {
  const days = /^(\d{1,2})d$/.exec(id)?.[1];
  return days ? Number(days) : null;
}
