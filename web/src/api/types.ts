/**
 * The shapes of `/api/v1`: made from its description (`schema.d.ts`, by `npm run types`), with the names
 * that stand for plain text there. Times are RFC 3339 in UTC, durations seconds, ASNs numbers.
 */
import type { components, paths } from "./schema";

export type GetPath = { [P in keyof paths]: paths[P] extends { get: object } ? P : never }[keyof paths];

/** What a route answers, where it answers with JSON. */
export type Got<P extends GetPath> = paths[P] extends { get: { responses: { 200: { content: { "application/json": infer Answer } } } } }
  ? Answer
  : never;
/** What may be asked of a route. */
export type QueryOf<P extends GetPath> = paths[P] extends { get: { parameters: { query?: infer Query } } } ? NonNullable<Query> : object;

type Schemas = components["schemas"];
/** A shape of the description, with narrower types for some of its fields. */
type Named<Shape, Names extends { [K in keyof Names]: K extends keyof Shape ? Shape[K] : never }> = Omit<Shape, keyof Names> & Names;
type Asked = Required<QueryOf<"/incidents">>;

export type Severity = Asked["class"];
export type State = Asked["state"];
export type Kind = Asked["kind"];
export type Role = Asked["role"];
export const SEVERITIES = ["critical", "high", "medium", "low", "info"] as const satisfies readonly Severity[];
export const STATES = ["spreading", "ongoing", "mitigated", "ended"] as const satisfies readonly State[];
export const ROLES = ["culprit", "victim", "propagator"] as const satisfies readonly Role[];
export const KINDS = [
  "origin_hijack", "sub_prefix_hijack", "squatting", "less_specific_hijack", "forged_origin",
  "forged_path", "same_path_more_specific", "route_leak", "moas", "rpki_invalid", "roa_change",
  "aspa_change", "trust_anchor_loss", "bogon_prefix", "bogon_asn", "blackhole_abuse",
  "prefix_outage", "as_outage", "country_outage", "new_neighbour", "unexpected_origination",
  "as_set", "long_path", "excessive_prepending",
] as const satisfies readonly Kind[];

export interface Page<T> {
  items: T[];
  next: string | null;
}

/** Peer ASes: that saw it at any time, that could have, at most at one time, at the last event. */
export type Visibility = Schemas["Seen"];
/** The incident as the detector gave it. */
export type Detected = Schemas["Incident"];
export type Evidence = Schemas["Incident_evidence"];
export type Rov = Named<Schemas["Rov"], Detected["rov"]>;
export type Touched = Named<Schemas["Touched"], { role: Detected["constituency"][number]["role"] }>;
export type Relation = Detected["related"][number]["relation"];

interface Worded {
  kind: Kind;
  state: State;
  class: Severity;
  rov: Rov | null;
  constituency: Touched[];
}
/** An incident in a list. */
export type IncidentItem = Named<Schemas["Item"], Worded>;
/** One incident, whole. */
export type Incident = Named<Schemas["Whole"], Worded & { incident: Detected }>;

export type VersionRow = Schemas["Happened"] & {
  change: "opened" | "updated" | "ended" | "reopened";
  kind: Kind; state: State; class: Severity; confidence: number; severity: number; prefix_count: number;
};
export type ReportRow = Schemas["Happened"] & { change: "report_sent"; report: string };
export type History = Named<Schemas["History"], { items: (VersionRow | ReportRow)[] }>;

export type NodeRole = "culprit" | "victim" | "propagator" | "source" | "other";
export type ReplayRoute = Schemas["Route"];
export type ReplayEvent = Named<Schemas["Event"], { type: "A" | "W" }>;
export type Countermeasure = Schemas["Reaction"];
/** `sessions`: times in which a source was not heard; its routes are unknown then, not gone. */
export type Replay = Named<Schemas["Replay"], {
  nodes: Named<Schemas["Node"], { role: NodeRole }>[];
  events: ReplayEvent[];
}>;
/** A route change as a collector heard it; `down` and `up` are of the peer's session, without a prefix. */
export type Update = Named<Schemas["Update"], { type: "A" | "W" | "down" | "up" }>;
export type Updates = Named<Schemas["Updates"], { items: Update[] }>;

export type AsView = Named<Schemas["AsPage"], { incidents: Page<IncidentItem> }>;
export type PrefixView = Named<Schemas["PrefixPage"], Record<"exact" | "covering" | "covered", Page<IncidentItem>>>;
export type CountryView = Named<Schemas["CountryPage"], { incidents: Page<IncidentItem> }>;

export type Health = "unknown" | "ok" | "degraded" | "down";
export type Gap = Schemas["Gap"];
export type Feeds = Named<Schemas["FeedsPage"], {
  feeds: Named<Schemas["FeedStatus"], { state: Health }>[];
  sources: { name: string; kind: string; state: string }[];
}>;
export type Facts = Schemas["FactsPage"];
export type Bucket = Named<Schemas["Bucket"], { kind: Kind; class: Severity }>;
export type Statistics = Named<Schemas["Statistics"], { buckets: Bucket[] }>;

/** One row of the journal, as `/events` tells it. */
export type LiveEvent = Named<Schemas["Told"], { incident?: IncidentItem | null }>;

/** Validity of a route of the running table; null where it cannot be told. */
type TableRov = Named<Schemas["TableRov"], Detected["rov"]>;
/** An origin of a prefix in the running table. `peers`: peer ASes whose route leads to it. */
export type OriginNow = Named<Schemas["TableOrigin"], { rov: TableRov; aspa: "valid" | "invalid" | "unknown" | null }>;
export type RouteNow = Schemas["TableRoute"];
export type PrefixNow = Named<Schemas["TablePrefixes"], { prefixes: Named<Schemas["TablePrefix"], { origins: OriginNow[] }>[] }>;
export type Neighbour = Schemas["TableNeighbour"];
export type AsNow = Named<Schemas["TableAs"], { prefixes: Named<Schemas["TableOriginated"], { rov: TableRov }>[] }>;

/** What a user may do; each may what those before may. */
export const USER_ROLES = ["viewer", "analyst", "admin"] as const;
export type UserRole = (typeof USER_ROLES)[number];
interface Ranked {
  role: UserRole;
}
export type SessionUser = Named<Schemas["SessionUser"], Ranked>;
/** `mode` is `off` when whoever reaches the server may read. */
export type SessionView = Named<Schemas["SessionDocument"], { user: SessionUser | null; mode: "users" | "off" }>;
export type User = Named<Schemas["UserItem"], Ranked>;
export type Users = Named<Schemas["UsersPage"], { items: User[] }>;
export type UserChange = Named<Schemas["UserPatch"], Partial<Ranked>>;
export type Token = Named<Schemas["TokenItem"], Ranked>;
export type Tokens = Named<Schemas["TokensPage"], { items: Token[] }>;
export type AuditRow = Schemas["AuditItem"];
