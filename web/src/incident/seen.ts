import type { Incident, Replay } from "../api/types";
import type { Blind, Mark, Series, TimeDrawing } from "../charts/scale";
import { type Cell } from "../format/csv";
import { dateAndClock, millis, rfc3339 } from "../format/time";
import type { Words } from "../i18n/en";
import { castOf, filmOf, hasTrail } from "../replay/model";
import { type Share, sharesOf } from "../replay/shares";

/** Marks of answers of the affected in the drawing; they are numbered. */
export const ANSWERS_MAX = 9;

/** A drawing over time, and the same as a table. */
export interface SeenChart {
  label: string;
  head: string[];
  rows: Cell[][];
  drawing: TimeDrawing;
}

/** Times in which a feed could not tell, within the time that is drawn. */
export function blindOf(incident: Incident): Blind[] {
  const start = millis(incident.first_seen);
  const end = millis(incident.ended_at ?? incident.last_seen);
  return (incident.incident.feeds.impaired ?? []).map((one) => ({
    from: Math.max(start, millis(one.from)),
    to: one.until ? millis(one.until) : end,
  }));
}

/**
 * Who saw it over time. With the route changes at hand: whom each vantage point's traffic goes to;
 * else how many had it, as the versions of the incident tell. Null when neither is known.
 */
export function seenChart(incident: Incident, replay: Replay, words: Words): SeenChart | null {
  if (hasTrail(replay)) return sharesChart(incident, replay, words);
  return replay.visibility.length > 0 ? countsChart(incident, replay, words) : null;
}

function marksOf(incident: Incident): Mark[] {
  const marks: Mark[] = [];
  incident.incident.countermeasures.slice(0, ANSWERS_MAX).forEach((one, at) => {
    const [time, name, last] = [millis(one.time), String(at + 1), marks.at(-1)];
    if (last?.time === time) last.name += `, ${name}`;
    else marks.push({ time, name, colour: "--victim" });
  });
  return marks;
}

function sharesChart(incident: Incident, replay: Replay, words: Words): SeenChart {
  const w = words.incident;
  const film = filmOf(replay);
  const who = (asns: number[], total: number) => (total === 1 ? `AS${asns[0]}` : w.several(total));
  const names = [
    (incident.incident.leak ? w.overCulprit : w.toCulprit)(who(incident.culprits, incident.culprits.length)), w.toVictim(who(incident.victims, incident.victim_count)), w.elsewhere,
  ] as const;
  const shares = sharesOf(film, replay.sources.length, castOf(replay, incident.incident.leak));
  const series = (name: string, colour: string, value: (one: Share) => number): Series => ({
    name, colour, points: shares.map((one): [number, number] => [one.time, value(one)]),
  });
  return {
    label: w.shares,
    head: [words.common.time, ...names],
    rows: shares.map((one) => [dateAndClock(rfc3339(one.time)), one.culprit, one.victim, one.other]),
    drawing: {
      form: "parts", from: film.start, to: film.end, blind: blindOf(incident), marks: marksOf(incident),
      series: [
        series(names[0], "--culprit", (one) => one.culprit),
        series(names[1], "--victim", (one) => one.victim),
        series(names[2], "--none", (one) => one.other),
      ],
    },
  };
}

function countsChart(incident: Incident, replay: Replay, words: Words): SeenChart {
  const w = words.incident;
  const points = replay.visibility;
  const start = millis(incident.first_seen);
  const end = Math.max(millis(incident.ended_at ?? incident.last_seen), start + 1000, ...points.map((p) => millis(p.time)));
  const last = points.at(-1);
  const had = points.map((p): [number, number] => [millis(p.time), p.now]);
  const could = points.map((p): [number, number] => [millis(p.time), p.of]);
  if (last && incident.ended_at) had.push([end, incident.vantage_points?.now ?? 0]);
  return {
    label: w.visibility,
    head: [words.common.time, w.had, words.list.seen, w.of],
    rows: points.map((p) => [dateAndClock(p.time), p.now, p.seen, p.of]),
    drawing: {
      form: "lines", from: Math.min(start, ...points.map((p) => millis(p.time))), to: end, blind: blindOf(incident), marks: marksOf(incident),
      series: [
        { name: w.had, colour: "--culprit", points: had },
        { name: w.of, colour: "--muted", points: could },
      ],
    },
  };
}
