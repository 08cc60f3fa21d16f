import { countryName } from "../i18n/index.svelte";
import type { Words } from "../i18n/en";
import { monthName, windowDays } from "./question";
import { percent, points, withData } from "./score";
import type { By, Group, GroupScore, Period } from "./types";

/** A period in words: `November 2026, so far`, `last 30 days`; its id when it is of neither form. */
export function periodWords({ id, is_over }: Pick<Period, "id" | "is_over">, w: Words): string {
  const days = windowDays(id);
  if (days !== null) return w.readiness.windows(days);
  const month = monthName(id, w.locale);
  return month === null ? id : is_over ? month : w.readiness.thisFar(month);
}

/** A score by its name and id: `Filtering (A1)`. */
export function scoreWords(id: string, title: string | undefined, w: Words): string {
  const name = w.readiness.scores[id] ?? title;
  return name ? `${name} (${id})` : id;
}

export function metricTitle(id: string, title: string, w: Words): string {
  return w.readiness.metrics[id] ?? title;
}

/** Names of the registries as they write themselves. */
const REGISTRIES: Record<string, string> = { afrinic: "AFRINIC", apnic: "APNIC", arin: "ARIN", lacnic: "LACNIC", ripencc: "RIPE NCC" };

export function groupName(by: By, group: Pick<Group, "id" | "name">, w: Words): string {
  if (by === "country") return countryName(group.id, w.locale);
  if (by === "registry") return REGISTRIES[group.id] ?? group.name ?? group.id;
  if (by === "world" || by === "constituency") return w.readiness.by[by];
  return group.name ?? group.id;
}

/** The answer to "how ready": the sentence of a group and one of its scores. */
export function groupSentence(name: string | null, one: GroupScore, title: string, period: Period, w: Words): string {
  const trend = one.trend === null ? "" : w.readiness.trendSince(Math.round(one.trend * 1000), points(Math.abs(one.trend), w.locale).replace(/^\+/, ""));
  return w.readiness.sentence(
    name, scoreWords(one.id, title, w), periodWords(period, w), one.classes.ready, withData(one.classes),
    percent(one.mean, w.locale) ?? w.common.noData, trend, one.classes.no_data,
  );
}
