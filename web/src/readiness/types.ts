/**
 * Shapes of `/api/v1/readiness` and of verdicts, by hand until the description names them. Scores are from 0 to 1;
 * `null` is no data, which is not zero. Times are RFC 3339 in UTC.
 */
export const CLASSES = ["ready", "aspiring", "lagging", "no_data"] as const;
export type ReadinessClass = (typeof CLASSES)[number];
export const GROUPINGS = ["country", "region", "registry", "sector", "constituency"] as const;
export const BYS = ["world", ...GROUPINGS] as const;
/** By what networks are taken together; `world` has one group of that id. */
export type By = (typeof BYS)[number];
export const ORDERS = ["worst", "best"] as const;
export type Order = (typeof ORDERS)[number];

/** A month, as `2026-10`, or a window that ends now, as `30d`. */
export interface Period {
  id: string;
  from: string;
  until: string;
  is_over: boolean;
}
/** What was measured from; without a date or digest where it has none. */
export interface Source {
  input: string;
  name: string;
  date: string | null;
  sha256: string | null;
  entries: number;
}
export interface MissingInput {
  input: string;
  text: string;
}
/** What every answer that is measured begins with. */
export interface Head {
  profile: string;
  period: Period;
  measured_at?: string;
  sources: Source[];
  missing: MissingInput[];
}
export interface AddressSpace {
  ipv4_24s: number;
  ipv6_48s: number;
}

export interface Profile {
  id: string;
  title: string;
  source: string;
  sha256: string;
  is_default: boolean;
  aspiring_from_percent: number;
  ready_from_percent: number;
  metrics: { id: string; title: string; formula: string; is_scored: boolean }[];
  scores: { id: string; title: string; metrics: string[] }[];
}
export interface Profiles {
  profiles: Profile[];
}
/** Months that were measured, the newest first. */
export interface Periods {
  periods: (Period & { measured_at: string | null })[];
  windows: string[];
}

export type ClassCounts = Record<ReadinessClass, number>;
export interface GroupScore {
  id: string;
  mean: number | null;
  mean_by_ipv4: number | null;
  mean_by_ipv6: number | null;
  classes: ClassCounts;
  /** Mean less that of the period before. */
  trend: number | null;
}
export interface Group {
  id: string;
  name: string | null;
  ases: number;
  address_space: AddressSpace;
  scores: GroupScore[];
}
export interface Groups extends Head {
  by: By;
  groups: Group[];
}
/** The oldest first. */
export type History = { period: string; scores: { id: string; value: number | null }[] }[];
export interface OneGroup extends Head {
  by: By;
  group: Group;
  history: { period: string; scores: { id: string; mean: number | null }[] }[];
}

/** Equal scores share a place; `ties` is how many do, 1 when nobody else. */
export interface Rank {
  place: number;
  of: number;
  ties: number;
}
export interface Scored {
  id: string;
  score: number | null;
  class: ReadinessClass;
}
export interface Network {
  asn: number;
  name: string | null;
  country: string | null;
  address_space: AddressSpace;
  rank: Rank | null;
  scores: Scored[];
  /** Ids of the programmes it takes part in. */
  participant?: string[];
}
export interface Networks extends Head {
  score: string;
  total: number;
  ases: Network[];
  next: string | number | null;
}

export interface CountedIncident {
  from: string;
  until: string;
  coefficient: number;
  weight_percent: number;
  events: string[];
}
export type RouteState = "invalid" | "not_found" | "unregistered";
export interface Metric {
  id: string;
  title: string;
  formula: string;
  raw: number | null;
  score: number | null;
  state: "scored" | "informational" | "no_data";
  no_data: { reason: string; input?: string } | null;
  no_data_text: string | null;
  inputs: Record<string, number>;
  incidents: CountedIncident[];
  /** Events that do not count, with the reason. */
  dismissed?: { event: string; why: string }[];
  /** Routes that cost points, at most 100. */
  routes?: { prefix: string; state: RouteState }[];
}
export interface Action extends Scored {
  title: string;
  raw: number | null;
  /** Ids of its metrics that have no data. */
  missing: string[];
}
export interface Conformance {
  programme: string;
  state: "conformant" | "non_conformant" | "no_data";
  actions: { id: string; title: string; is_mandatory: boolean; state: "met" | "not_met" | "no_data" | "declared"; why: string }[];
}
export interface Advice {
  score: string;
  now: number;
  after: number | null;
  text: string;
  events: string[];
  prefixes: string[];
}
/** Whether it drops RPKI-invalid routes: of `n` seen, `dropped`; `low` and `high` are the interval of the share. */
export interface RovVerdict {
  verdict: "drops" | "partly" | "passes" | "unknown";
  n: number;
  dropped: number;
  low: number;
  high: number;
  text: string;
}
export interface AsReadiness {
  asn: number;
  name: string | null;
  country: string | null;
  registry: string | null;
  region: { id: string; name: string } | null;
  sectors: string[];
  participant: { programme: string; name: string; since: string | null }[];
  conformance: Conformance[];
  address_space: AddressSpace;
  prefixes: { ipv4: number; ipv6: number };
  metrics: Metric[];
  actions: Action[];
  /** The best gain first. */
  advice: Advice[];
  history: { period: string; scores: { id: string; score: number | null }[] }[];
  rov: RovVerdict | null;
}
export type OneAs = Head & AsReadiness;
export interface Compared extends Head {
  ases: AsReadiness[];
  missing_asns: number[];
}
/** `known` is the share of the weight that has data. A reason that is neither for nor against is unknown. */
export interface Candidate {
  asn: number;
  name: string | null;
  /** Null where less than half of what matters is known. */
  place: number | null;
  ties: number | null;
  known: number;
  score: number | null;
  reasons: { for: boolean | null; weight: number; score_id: string; text: string }[];
}
export interface Providers extends Head {
  candidates: Candidate[];
  advice: string;
}

export const VERDICTS = ["false_positive", "confirmed", "unclear"] as const;
export type VerdictName = (typeof VERDICTS)[number];
/** What somebody found an incident to be. */
export interface Verdict {
  verdict: VerdictName;
  note: string;
  by: string;
  at: string;
}
