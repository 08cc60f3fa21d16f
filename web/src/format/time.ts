import type { Words } from "../i18n/en";

const DAY = 86_400;
const HOUR = 3_600;
const MINUTE = 60;

/** Milliseconds since 1970 of an RFC 3339 time. */
export function millis(time: string): number {
  return Date.parse(time);
}

/** `18:47:57Z` */
export function clock(time: string): string {
  return `${time.slice(11, 19)}Z`;
}

/** `2008-02-24 18:47:57Z` */
export function dateAndClock(time: string): string {
  return `${time.slice(0, 10)} ${clock(time)}`;
}

/** RFC 3339 in whole seconds of a time in milliseconds since 1970. */
export function rfc3339(ms: number): string {
  return `${new Date(Math.floor(ms / 1000) * 1000).toISOString().slice(0, 19)}Z`;
}

/** The two largest units of a duration, as `2 h 13 min`. Rounded down to `to` seconds if it is longer; never negative. */
export function duration(seconds: number, units: Words["units"], to = 1): string {
  const exact = Math.max(0, Math.floor(seconds));
  const whole = exact > to ? exact - (exact % to) : exact;
  const parts: [number, string][] = [
    [Math.floor(whole / DAY), units.day],
    [Math.floor((whole % DAY) / HOUR), units.hour],
    [Math.floor((whole % HOUR) / MINUTE), units.minute],
    [whole % MINUTE, units.second],
  ];
  const first = parts.findIndex(([amount]) => amount > 0);
  if (first < 0) return `0 ${units.second}`;
  return parts
    .slice(first, first + 2)
    .filter(([amount]) => amount > 0)
    .map(([amount, unit]) => `${amount} ${unit}`)
    .join(" ");
}

/** Seconds from one time to another, or to now when it has not ended. */
export function secondsBetween(from: string, to: string | null, now: number): number {
  return ((to === null ? now : millis(to)) - millis(from)) / 1000;
}
