import type { History } from "./types";

export interface Line {
  id: string;
  /** One for each period: a value from 0 to 1, or null. */
  values: (number | null)[];
}

/** The history of each score over the periods. */
export function lines(history: History, ids: readonly string[]): Line[] {
  return ids.map((id) => ({ id, values: history.map((one) => one.scores.find((score) => score.id === id)?.value ?? null) }));
}

/** Runs of places that have a value: a line is broken where there is none, and never goes through zero there. */
export function runs(values: readonly (number | null)[]): number[][] {
  const found: number[][] = [];
  values.forEach((value, at) => {
    if (value === null) return;
    const last = found.at(-1);
    if (last?.at(-1) === at - 1) last.push(at);
    else found.push([at]);
  });
  return found;
}

/** Heights of labels that would lie over each other, pushed apart by at least `apart`, in the order of `wanted`. */
export function apart(wanted: readonly number[], gap: number, top: number, bottom: number): number[] {
  const order = wanted.map((y, at) => ({ y, at })).sort((a, b) => a.y - b.y || a.at - b.at);
  let before = Number.NEGATIVE_INFINITY;
  for (const one of order) before = one.y = Math.max(one.y, top, before + gap);
  let after = bottom + gap;
  for (const one of order.toReversed()) after = one.y = Math.min(one.y, after - gap);
  const placed = [...wanted];
  for (const one of order) placed[one.at] = one.y;
  return placed;
}

/** The least whole ten percent under all values, for an axis that shows differences; 0 when values reach low. */
export function axisFrom(all: readonly Line[]): number {
  const values = all.flatMap((one) => one.values.filter((value) => value !== null));
  const least = Math.min(1, ...values);
  return least >= 0.7 ? Math.floor((least - 0.05) * 10) / 10 : least >= 0.5 ? 0.4 : 0;
}
