import type { Detected, NodeRole, Replay } from "../api/types";

/** A route of one vantage point to one prefix. `path` from the vantage point to the origin. */
export interface Route {
  source: string;
  peer: number;
  prefix: string;
  path: number[];
  text: string;
}

/** What happens at one moment of the replay. `time` is in milliseconds since 1970. */
export interface Step {
  time: number;
  inferred: boolean;
  route: Route | null;
  source: string;
  peer: number;
  prefix: string;
}

/** Whether it has the route changes themselves, and not only sample paths. */
export function hasTrail({ basis }: Replay): boolean {
  return basis.reason !== "no_trail" && basis.reason !== "removed" && (basis.complete || basis.events > 0);
}

export interface Film {
  start: number;
  end: number;
  initial: Route[];
  steps: Step[];
}

/** ASes in a row count once: prepending says nothing of who passes it to whom. */
export function withoutPrepending(path: number[]): number[] {
  return path.filter((asn, at) => asn !== path[at - 1]);
}

/** Makes a film of the API's answer. Events stay in their order; times are never before the start. */
export function filmOf(replay: Replay): Film {
  const peers = new Map(replay.sources.map((source) => [source.id, source.as_number]));
  const route = (r: { source_id: string; target_prefix: string; path: number[]; path_text: string }): Route => ({
    source: r.source_id,
    peer: peers.get(r.source_id) ?? r.path[0] ?? 0,
    prefix: r.target_prefix,
    path: withoutPrepending(r.path),
    text: r.path_text,
  });
  const steps = replay.events.map((event): Step => ({
    time: Date.parse(event.timestamp),
    inferred: event.inferred,
    route: event.type === "A" ? route(event.attrs) : null,
    source: event.attrs.source_id,
    peer: peers.get(event.attrs.source_id) ?? 0,
    prefix: event.attrs.target_prefix,
  }));
  const times = steps.map((step) => step.time);
  return {
    start: Math.min(Date.parse(replay.query_starttime), ...times),
    end: Math.max(Date.parse(replay.query_endtime), ...times),
    initial: replay.initial_state.map(route),
    steps,
  };
}

/** Steps that have happened at a time, it included. */
export function stepsUpTo(film: Film, time: number): number {
  let low = 0;
  let high = film.steps.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((film.steps[middle]?.time ?? Infinity) <= time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The routes that stand after the first `done` steps, by source and prefix. */
export function routesAfter(film: Film, done: number): Route[] {
  const table = new Map<string, Route>();
  const key = (source: string, prefix: string) => `${source} ${prefix}`;
  for (const route of film.initial) table.set(key(route.source, route.prefix), route);
  for (const step of film.steps.slice(0, done)) {
    if (step.route) table.set(key(step.source, step.prefix), step.route);
    else table.delete(key(step.source, step.prefix));
  }
  return [...table.values()];
}

/** Every route that is shown at any time. */
export function allRoutes(film: Film): Route[] {
  return [...film.initial, ...film.steps.flatMap((step) => (step.route ? [step.route] : []))];
}

/** Who is who in a film; `leak` when passing routes on is what the culprit did. */
export interface Cast {
  roles: ReadonlyMap<number, NodeRole>;
  leak: Detected["leak"];
}

export function castOf(replay: Replay, leak: Detected["leak"]): Cast {
  return { roles: new Map(replay.nodes.map((node) => [node.as_number, node.role])), leak };
}

/** A leaker passes on much else: its leak is what it has from one AS and who passes the leak on has from it. */
function isLeaked(path: number[], at: number, roles: Cast["roles"], { from, to }: NonNullable<Cast["leak"]>): boolean {
  const [before, after] = [path[at - 1], path[at + 1]];
  return before !== undefined && (before === to || roles.get(before) === "propagator") && (from === null || after === from);
}

/** Whom a route serves; routes are coloured by it: one that leads to or through a culprit, one to the affected. */
export function sideOf(path: number[], { roles, leak }: Cast): "culprit" | "victim" | "other" {
  const leads = path.some((asn, at) => roles.get(asn) === "culprit" && (!leak || isLeaked(path, at, roles, leak)));
  if (leads) return "culprit";
  const origin = path.at(-1);
  return origin !== undefined && roles.get(origin) === "victim" ? "victim" : "other";
}
