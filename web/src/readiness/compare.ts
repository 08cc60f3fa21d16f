import { difference } from "./score";
import type { AsReadiness } from "./types";

export interface Standing {
  score: number | null;
  /** Less the best of those compared; null without data. */
  behind: number | null;
  isBest: boolean;
  /** How many have the best score. */
  best: number;
  /** Whether any is behind: nobody is best of those that are all the same. */
  differs: boolean;
}

/** How those compared stand on one score. */
export function standings(ases: readonly AsReadiness[], score: string): Standing[] {
  const scores = ases.map((one) => one.actions.find((action) => action.id === score)?.score ?? null);
  const known = scores.filter((one) => one !== null);
  const most = Math.max(...known);
  const best = known.filter((one) => one === most).length;
  const differs = best < known.length;
  return scores.map((one) => ({ score: one, behind: one === null ? null : difference(one, most), isBest: one === most, best, differs }));
}

/** Whether anything differs in a row of texts. */
export function differ(texts: readonly string[]): boolean {
  return new Set(texts).size > 1;
}

/** Incidents counted for a network, over its metrics that are scored. */
export function incidentsOf(one: AsReadiness): number {
  return one.metrics.filter((metric) => metric.state === "scored").reduce((sum, metric) => sum + (metric.inputs.incidents ?? 0), 0);
}

/** The score on which those compared differ most, and by how much; null when on none. */
export function widest(ases: readonly AsReadiness[]): { id: string; title: string; by: number } | null {
  const spans = (ases[0]?.actions ?? []).map(({ id, title }) => {
    const behind = standings(ases, id).flatMap((one) => (one.behind === null ? [] : [one.behind]));
    return { id, title, by: behind.length > 0 ? -Math.min(...behind) : 0 };
  });
  const most = spans.reduce<(typeof spans)[number] | null>((best, one) => (one.by > (best?.by ?? 0) ? one : best), null);
  return most;
}
