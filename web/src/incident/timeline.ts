import type { History, Incident } from "../api/types";
import { clock, dateAndClock } from "../format/time";
import type { Words } from "../i18n/en";

/** One line of the timeline. `mark` tells what drew it: the Internet, the detector, or a feed. */
export interface Moment {
  time: string;
  mark: "seen" | "detector" | "answer" | "feed";
  title: string;
  text: string;
}

/** What is known of an incident in the order of time. */
export function timelineOf(incident: Incident, history: History | null, words: Words): Moment[] {
  const w = words.incident;
  const first = incident.incident.sample_paths[0];
  const moments: Moment[] = [
    {
      time: incident.first_seen, mark: "seen", title: w.seenAt,
      text: first ? `${first.prefix}: ${first.path} (${first.collector})` : "",
    },
    ...incident.incident.countermeasures.map((one): Moment => ({
      time: one.time, mark: "answer", title: w.countermeasure,
      text: w.answer(`AS${one.origin}`, one.prefix),
    })),
    ...(incident.incident.feeds.impaired ?? []).map((one): Moment => ({
      time: one.from, mark: "feed", title: one.collector,
      text: `${words.feeds.states[one.state] ?? one.state}${one.until ? ` – ${dateAndClock(one.until)}` : ""}`,
    })),
    ...changesOf(history, words),
  ];
  return moments.sort((a, b) => Date.parse(a.time) - Date.parse(b.time));
}

/** What the detector said; what it only said again, and what was reported of it, are one line with it. */
function changesOf(history: History | null, words: Words): Moment[] {
  const w = words.incident;
  const changes: { time: string; title: string; text: string; reported: boolean; again: number; until: string }[] = [];
  for (const row of history?.items ?? []) {
    const last = changes.at(-1);
    if (row.change === "report_sent") {
      if (last) last.reported = true;
      else changes.push({ time: row.recorded_at, title: w.changes.report_sent, text: "", reported: false, again: 0, until: row.recorded_at });
      continue;
    }
    const text = w.changeTo(words.states[row.state], row.confidence, row.severity, words.units.prefixes(row.prefix_count));
    if (last && row.change === "updated" && last.text === text) {
      last.again++;
      last.until = row.recorded_at;
      continue;
    }
    // A version is dated by its last event, which may be long before what changed: its end, or an answer.
    // What was told of late had ended before it was opened: the lines stay in the order of the telling.
    const time = row.change === "ended" && (!last || row.at >= last.time) ? row.at : row.recorded_at;
    changes.push({ time, title: w.changes[row.change], text, reported: false, again: 0, until: time });
  }
  return changes.map(({ time, title, text, reported, again, until }) => ({
    time, mark: "detector", title,
    text: [text, reported ? w.changes.report_sent : "", again > 0 ? w.again(again, clock(until)) : ""].filter(Boolean).join(" · "),
  }));
}
