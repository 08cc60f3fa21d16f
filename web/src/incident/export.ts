import { api } from "../api/client";
import type { IncidentItem } from "../api/types";
import { csv } from "../format/csv";
import type { Words } from "../i18n/en";
import { claimOf, extentOf } from "./sentence";

/** Columns of the API's own CSV of incidents (`format=csv`), in its order. */
const COLUMNS = [
  "id", "number", "kind", "state", "class", "confidence", "severity", "first_seen", "last_seen", "ended_at",
  "culprits", "victims", "prefixes", "prefix_count", "countries", "seen", "of", "rov_state", "members", "opened_at",
  "updated_at", "version",
];

/** Incidents as the API's CSV has them. */
export function incidentsCsv(items: IncidentItem[]): string {
  const rows = items.map((one) => [
    one.id, one.number, one.kind, one.state, one.class, one.confidence, one.severity, one.first_seen, one.last_seen,
    one.ended_at ?? "", one.culprits.join(" "), one.victims.join(" "), one.prefixes.join(" "), one.prefix_count,
    one.countries.join(" "), one.vantage_points?.seen ?? "", one.vantage_points?.of ?? "", one.rov?.state ?? "",
    one.constituency.map((touched) => touched.member).join(" "), one.opened_at, one.updated_at, one.version,
  ]);
  return csv(COLUMNS, rows);
}

/** Between two questions: the server takes 50 of an address in a second, and others ask, too. */
const PAUSE_MS = 30;

/** Each whole incident as a line of JSON; `told` hears how many are read. */
export async function incidentsJsonl(items: IncidentItem[], told: (done: number) => void): Promise<string> {
  const lines: string[] = [];
  for (const item of items) {
    lines.push(JSON.stringify(await api.incident(item.id)));
    told(lines.length);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  return `${lines.join("\n")}\n`;
}

/** Two lines for each incident, for a mail. `origin` is where these pages are. */
export function incidentsText(items: IncidentItem[], words: Words, now: number, origin: string): string {
  return items
    .map((one) => `${words.severities[one.class]}: ${claimOf(one, words)} ${extentOf(one, words, now)}\n${origin}/incidents/${one.id}`)
    .join("\n\n");
}
