import type { Incident } from "../api/types";
import { dateAndClock } from "../format/time";
import type { Words } from "../i18n/en";
import { asText, claimOf, extentOf, touchedOf } from "./sentence";

const REASONS_MAX = 3;
const PATHS_MAX = 2;
const PREFIXES_MAX = 6;

/** The incident as plain text for a mail: at most 15 lines. `link` is the address of its page. */
export function plainText(incident: Incident, words: Words, now: number, link: string): string {
  const w = words.incident;
  const detected = incident.incident;
  const signed = (weight: number) => (weight > 0 ? `+${weight}` : String(weight));
  const ases = (asns: number[]) => asns.map((asn) => asText(asn, incident.as_names)).join(", ");
  const lines = [
    `${words.kinds[incident.kind] ?? incident.kind} ${incident.id} (${words.states[incident.state]})`,
    claimOf(incident, words),
    [extentOf(incident, words, now), touchedOf(incident, words)].filter(Boolean).join(" "),
    `${w.confidence(incident.confidence)}, ${w.severity(incident.severity, words.severities[incident.class])}`,
    `${w.firstSeen}: ${dateAndClock(incident.first_seen)}; ${w.ended}: ${incident.ended_at ? dateAndClock(incident.ended_at) : "-"}`,
    `${words.list.by}: ${ases(incident.culprits) || "-"}; ${words.list.affected}: ${ases(incident.victims.slice(0, 5)) || "-"}`,
    `${words.list.prefix}: ${incident.prefixes.slice(0, PREFIXES_MAX).join(", ") || "-"} (${words.units.prefixes(incident.prefix_count)})`,
    ...[...detected.evidence].sort((a, b) => b.weight - a.weight).slice(0, REASONS_MAX)
      .map((one) => `  ${signed(one.weight)} ${one.text}`),
    ...detected.counter_evidence.slice(0, 2).map((one) => `  ${signed(one.weight)} ${one.text}`),
    ...detected.sample_paths.slice(0, PATHS_MAX).map((one) => `  ${dateAndClock(one.time)} ${one.collector} ${one.prefix}: ${one.path}`),
    link,
  ];
  return lines.join("\n");
}
