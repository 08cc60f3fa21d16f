import type { Gap, Statistics } from "../api/types";
import type { Blind } from "../charts/scale";
import { FAMILIES, type Family, familyOf } from "../incident/families";

export const HOUR_MS = 3_600_000;
/** More hours than the API gives are not drawn. */
const HOURS_MAX = 744;

export interface Hour {
  /** Its beginning, in milliseconds since 1970. */
  time: number;
  counts: Record<Family, number>;
}

/** Every hour of the statistics, also those without a bucket: there were no incidents in them. */
export function hourly(statistics: Statistics): Hour[] {
  const [from, before] = [Date.parse(statistics.from), Date.parse(statistics.before)];
  const count = Math.min(HOURS_MAX, Math.max(0, Math.ceil((before - from) / HOUR_MS)));
  const hours = Array.from({ length: count }, (_, at): Hour => ({
    time: from + at * HOUR_MS,
    counts: Object.fromEntries(FAMILIES.map((family) => [family, 0])) as Record<Family, number>,
  }));
  for (const bucket of statistics.buckets) {
    const hour = hours[Math.floor((Date.parse(bucket.time) - from) / HOUR_MS)];
    if (hour) hour.counts[familyOf(bucket.kind)] += bucket.count;
  }
  return hours;
}

/** The spans of the statistics in which a feed had a gap that was not filled, joined where they overlap. */
export function blindSpans(gaps: Gap[], statistics: Statistics): Blind[] {
  const [first, last] = [Date.parse(statistics.from), Date.parse(statistics.before)];
  const spans = gaps
    .filter((gap) => !gap.filled)
    .map((gap) => ({
      from: Math.max(first, Date.parse(gap.from)),
      to: Math.min(last, gap.to === null ? last : Date.parse(gap.to)),
    }))
    .filter((span) => span.from < span.to)
    .sort((a, b) => a.from - b.from);
  const joined: Blind[] = [];
  for (const span of spans) {
    const before = joined.at(-1);
    if (before && span.from <= before.to) before.to = Math.max(before.to, span.to);
    else joined.push({ ...span });
  }
  return joined;
}
