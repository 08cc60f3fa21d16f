import type { Incident, IncidentItem, Kind } from "../api/types";
import { duration, secondsBetween } from "../format/time";
import { countryName } from "../i18n/index.svelte";
import type { Parts, Words } from "../i18n/en";

/** Kinds whose vantage points are those that lost the route. */
const LOST: ReadonlySet<Kind> = new Set<Kind>(["prefix_outage", "as_outage", "country_outage"]);
/** ASes and prefixes named in a sentence; the rest is counted. */
const NAMED_MAX = 2;

/** `AS64496 (NAME)`, or without a name where none is known. */
export function asText(asn: number, names: Record<string, string>): string {
  const name = names[String(asn)];
  return name ? `AS${asn} (${name})` : `AS${asn}`;
}

function asesText(asns: number[], total: number, item: IncidentItem, words: Words): string {
  if (asns.length === 0) return words.units.unknownAs;
  const named = asns.slice(0, NAMED_MAX).map((asn) => asText(asn, item.as_names));
  return words.units.and(named, Math.max(0, total - named.length));
}

function prefixesText(item: IncidentItem, words: Words): string {
  if (item.prefix_count > NAMED_MAX) return words.units.prefixes(item.prefix_count);
  const named = item.prefixes.slice(0, NAMED_MAX);
  return named.length === 0 ? words.units.noPrefix : words.units.and(named, 0);
}

/** One sentence of what the incident says is happening, in neutral words. */
export function claimOf(item: IncidentItem | Incident, words: Words): string {
  const detected = "incident" in item ? item.incident : null;
  const named = (asn: number | null | undefined) =>
    asn === null || asn === undefined ? null : asText(asn, item.as_names);
  const country = item.countries[0];
  const parts: Parts = {
    culprit: asesText(item.culprits, item.culprits.length, item, words),
    victim: asesText(item.victims, item.victim_count, item, words),
    prefix: prefixesText(item, words),
    covering: detected?.covering_prefixes[0] ?? null,
    a: named(detected?.leak ? detected.leak.from : detected?.link?.a),
    b: named(detected?.leak ? detected.leak.to : detected?.link?.b),
    country: country ? countryName(country, words.locale) : null,
    count: item.prefix_count,
  };
  return words.claims[item.kind]?.(parts) ?? item.kind;
}

/** How long it lasted, or has lasted so far, and how many vantage points had it. */
export function extentOf(item: IncidentItem, words: Words, now: number): string {
  const w = words.incident;
  const lasted = duration(secondsBetween(item.first_seen, item.ended_at, now), words.units);
  const time = item.ended_at === null ? w.lasts(lasted) : w.lasted(lasted);
  const seen = item.vantage_points;
  if (!seen || seen.of === 0) return `${time}.`;
  const lost = LOST.has(item.kind);
  const told = item.ended_at === null
    ? (lost ? w.nowLost : w.now)(seen.now, seen.of)
    : (lost ? w.peakLost : w.peak)(seen.peak, seen.of);
  return `${time}; ${told}.`;
}

/** Whose of the constituency it touches, as a sentence; null when nobody's. */
export function touchedOf(item: IncidentItem, words: Words): string | null {
  if (item.constituency.length === 0) return null;
  const names = [...new Set(item.constituency.map((one) => one.name))];
  const named = names.slice(0, NAMED_MAX);
  return words.incident.touches(words.units.and(named, names.length - named.length));
}
