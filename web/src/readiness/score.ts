import type { ClassCounts, Network, Rank, ReadinessClass } from "./types";
import { CLASSES } from "./types";

const BILLION = 1e9;

/** A share in tenths of a percent, rounded down: nothing looks like a class that it does not reach. */
function tenths(score: number): number {
  return Math.floor(Math.round(score * BILLION) / 1e6);
}

/** `93.4 %`, or `null` without data: that is told in words, never as zero. */
export function percent(score: number | null, locale: string): string | null {
  if (score === null) return null;
  const value = tenths(score) / 10;
  const digits = Number.isInteger(value) ? 0 : 1;
  return `${value.toLocaleString(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits })}\u00a0%`;
}

/** One score less another, of what is read of both: the numbers on the page agree. */
export function difference(score: number, other: number): number {
  return (tenths(score) - tenths(other)) / 1000;
}

/** A difference of two scores in percentage points, with its sign; a zero has none. */
export function points(difference: number, locale: string): string {
  const value = Math.round(difference * 1000) / 10;
  const size = Math.abs(value).toLocaleString(locale, { maximumFractionDigits: 1 });
  return value === 0 ? "0" : `${value > 0 ? "+" : "−"}${size}`;
}

/** `=12`: the sign says that others have the same place. */
export function placeText({ place, ties }: Pick<Rank, "place" | "ties">, locale: string): string {
  return `${ties > 1 ? "=" : ""}${place.toLocaleString(locale)}`;
}

/** A raw value as it is read: whole numbers whole, others with up to four digits. */
export function rawText(raw: number | null, locale: string): string | null {
  return raw === null ? null : raw.toLocaleString(locale, { maximumFractionDigits: 4 });
}

export interface Part {
  class: ReadinessClass;
  count: number;
  /** Begin and width within the bar, from 0 to 1. */
  from: number;
  share: number;
}

/** A bar's parts: those with data first, next to each other; those without stand apart at the end. */
export function parts(counts: ClassCounts): Part[] {
  const total = CLASSES.reduce((sum, one) => sum + counts[one], 0);
  let from = 0;
  return CLASSES.flatMap((one) => {
    const share = total > 0 ? counts[one] / total : 0;
    const part = { class: one, count: counts[one], from, share };
    from += share;
    return share > 0 ? [part] : [];
  });
}

/** How many have data. */
export function withData(counts: ClassCounts): number {
  return counts.ready + counts.aspiring + counts.lagging;
}

/** The class of a score by the percentages of a profile. */
export function classOf(score: number | null, from: { aspiring_from_percent: number; ready_from_percent: number }): ReadinessClass {
  if (score === null) return "no_data";
  const value = tenths(score) / 10;
  return value >= from.ready_from_percent ? "ready" : value >= from.aspiring_from_percent ? "aspiring" : "lagging";
}

/** That score of a network; without it, no data. */
export function scoreOf(network: Pick<Network, "scores">, id: string) {
  return network.scores.find((one) => one.id === id) ?? { id, score: null, class: "no_data" as const };
}

/** Slanted lines that fill a box, as the path of an SVG: the sign of "no data", which no colour carries alone. */
export function hatch(x: number, y: number, width: number, height: number, apart = 5): string {
  const lines: string[] = [];
  for (let at = apart; at < width + height; at += apart) {
    const [x1, y1] = at <= height ? [x, y + at] : [x + at - height, y + height];
    const [x2, y2] = at <= width ? [x + at, y] : [x + width, y + at - width];
    lines.push(`M${round(x1)} ${round(y1)}L${round(x2)} ${round(y2)}`);
  }
  return lines.join("");
}

const round = (value: number) => Math.round(value * 10) / 10;
