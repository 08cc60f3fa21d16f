import type { AsReadiness, Metric, Profile, Source } from "./types";

/** Inputs that a metric is made from, by the beginning of its id; the longer ones first. */
const INPUTS: [string, string[]][] = [
  ["M7RPKI", ["vrps", "routes"]], ["M7IRR", ["irr", "routes"]], ["M5", ["spoofer"]], ["M8", ["contacts"]],
  ["ROV", ["invalid_routes", "vrps"]], ["OTC", ["otc_routes", "relations"]], ["ASPA", ["aspas", "relations"]], ["M", ["incidents"]],
];

/** The sources of a metric among those of the measurement, with their dates: how fresh it is. */
export function sourcesOf(id: string, sources: readonly Source[]): Source[] {
  const inputs = INPUTS.find(([begin]) => id.startsWith(begin))?.[1] ?? [];
  const all = id.endsWith("-administrative") ? [...inputs, "delegations"] : inputs;
  return sources.filter((one) => all.includes(one.input));
}

/** Metrics under the score that is made of them, in the order of the profile; those of no score at the end. */
export function byScore(of: Pick<AsReadiness, "metrics" | "actions">, profile: Profile | null): { score: string | null; metrics: Metric[] }[] {
  const made = new Map(profile?.scores.map((one) => [one.id, one.metrics]) ?? []);
  const parts = of.actions.map(({ id }) => ({ score: id as string | null, metrics: of.metrics.filter((one) => made.get(id)?.includes(one.id)) }));
  const placed = new Set(parts.flatMap((part) => part.metrics.map((one) => one.id)));
  return [...parts, { score: null, metrics: of.metrics.filter((one) => !placed.has(one.id)) }].filter((part) => part.metrics.length > 0);
}

/** Whether it takes something off a score. */
export function costs(metric: Metric): boolean {
  return metric.state === "scored" && metric.score !== null && metric.score < 1;
}

/** What an incident adds to the raw penalty. */
export function adds({ coefficient, weight_percent }: Metric["incidents"][number]): number {
  return (coefficient * weight_percent) / 100;
}

/** The score that is lowest of those with data; null when all are whole or without. */
export function lowest(actions: AsReadiness["actions"]): AsReadiness["actions"][number] | null {
  const known = actions.filter((one) => one.score !== null && one.score < 1);
  return known.reduce<(typeof known)[number] | null>((low, one) => (low === null || (one.score ?? 1) < (low.score ?? 1) ? one : low), null);
}
