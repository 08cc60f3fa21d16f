import { clock, rfc3339 } from "../format/time";

/** Points are pairs of a time in milliseconds since 1970 and a value; `colour` is a token, as `--series-1`. */
export interface Series {
  name: string;
  colour: string;
  points: [number, number][];
}

/** A time in milliseconds since 1970 in which what would have been seen is not known. */
export interface Blind {
  from: number;
  to: number;
}

/** A mark on the time axis. Its name is short: names of near marks lie over each other. */
export interface Mark {
  time: number;
  name: string;
  colour: string;
}

/** What is drawn over time. Series of bars and of parts are stacked and have the same times. */
export interface TimeDrawing {
  form: "bars" | "lines" | "parts";
  from: number;
  to: number;
  series: Series[];
  blind: Blind[];
  marks: Mark[];
  /** Of bars: the time that one stands for, from its point on. */
  span?: number;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Steps between labels of the time axis, each a whole part of the next unit. */
const STEPS = [
  SECOND, 2 * SECOND, 5 * SECOND, 10 * SECOND, 15 * SECOND, 30 * SECOND, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE,
  15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 30 * DAY,
  90 * DAY, 365 * DAY,
];

/** Whole numbers from 0 to at least `max`, evenly apart, at most `count` + 1 of them. */
export function countTicks(max: number, count = 4): number[] {
  const rough = Math.max(1, max / count);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((one) => one * power).find((one) => one >= rough) ?? rough;
  const ticks = [0];
  while ((ticks.at(-1) ?? 0) < Math.max(1, max)) ticks.push((ticks.at(-1) ?? 0) + step);
  return ticks;
}

/** Times within a span at whole steps of UTC, at most `count`, with what to write at them. */
export function timeTicks(from: number, to: number, count: number): { time: number; label: string }[] {
  const step = STEPS.find((one) => (to - from) / one <= Math.max(1, count)) ?? 365 * DAY;
  const ticks: { time: number; label: string }[] = [];
  for (let time = Math.ceil(from / step) * step; time <= to; time += step) ticks.push({ time, label: labelOf(time, step) });
  return ticks;
}

function labelOf(time: number, step: number): string {
  const text = rfc3339(time);
  if (step >= DAY || time % DAY === 0) return text.slice(5, 10);
  return step < MINUTE ? clock(text) : `${text.slice(11, 16)}Z`;
}

/** Place of the last point at or before a time; -1 before the first. */
export function pointAt(points: readonly [number, number][], time: number): number {
  let low = 0;
  let high = points.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((points[middle]?.[0] ?? Infinity) <= time) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Values of series of the same times put on top of each other: pairs of lower and upper end, by series. */
export function stacked(series: readonly Series[]): [number, number][][] {
  const heights = (series[0]?.points ?? []).map(() => 0);
  return series.map((one) => one.points.map(([, value], at): [number, number] => {
    const low = heights[at] ?? 0;
    heights[at] = low + value;
    return [low, low + value];
  }));
}

/** The largest value that is drawn. */
export function largest({ form, series }: TimeDrawing): number {
  const tops = form === "lines" ? series.flatMap((one) => one.points.map(([, value]) => value)) : (stacked(series).at(-1) ?? []).map(([, top]) => top);
  return tops.reduce((most, one) => Math.max(most, one), 0);
}
