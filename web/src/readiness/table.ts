import type { Group, GroupScore } from "./types";

export const GROUP_ORDERS = ["lowest", "highest", "size", "name"] as const;
export type GroupOrder = (typeof GROUP_ORDERS)[number];

/** Groups with one of their scores. */
export interface Row {
  group: Group;
  score: GroupScore;
}

export function rowsOf(groups: readonly Group[], score: string | null): Row[] {
  return groups.flatMap((group) => {
    const found = group.scores.find((one) => one.id === score);
    return found ? [{ group, score: found }] : [];
  });
}

/** In order; groups without data come last whatever the order of scores. */
export function inOrder(rows: readonly Row[], order: GroupOrder, name: (group: Group) => string): Row[] {
  const byName = (a: Row, b: Row) => name(a.group).localeCompare(name(b.group));
  const byMean = (sign: number) => (a: Row, b: Row) => {
    if (a.score.mean === null || b.score.mean === null) return Number(a.score.mean === null) - Number(b.score.mean === null) || byName(a, b);
    return sign * (a.score.mean - b.score.mean) || byName(a, b);
  };
  const orders = { lowest: byMean(1), highest: byMean(-1), size: (a: Row, b: Row) => b.group.ases - a.group.ases || byName(a, b), name: byName };
  return rows.toSorted(orders[order]);
}

/** Steps of a mean on the map: the bounds of the classes are among them. */
export const STEPS = [0, 0.4, 0.6, 0.8, 0.9, 0.95] as const;

/** Which step a mean is on, from 0; null without data. */
export function stepOf(mean: number | null): number | null {
  return mean === null ? null : STEPS.findLastIndex((from) => mean >= from);
}
