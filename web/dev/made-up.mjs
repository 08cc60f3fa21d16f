// Made-up incidents in space for documentation (RFC 5737, 3849, 5398), in the shapes of the API.
// Nothing here is random: the same call gives the same incidents.

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

export const NAMES = {
  64496: "CULPRIT-EXAMPLE", 64497: "TRANSIT-NORTH", 64498: "TRANSIT-SOUTH", 64499: "EXCHANGE-EXAMPLE",
  64500: "VICTIM-EXAMPLE", 64501: "HOSPITAL-EXAMPLE", 64502: "UNIVERSITY-EXAMPLE", 64503: "BANK-EXAMPLE",
  64504: "LEAKER-EXAMPLE", 64505: "PROVIDER-EAST", 64506: "PROVIDER-WEST", 64507: "ACCESS-EXAMPLE",
  64508: "PEER-A", 64509: "PEER-B", 64510: "PEER-C", 64511: "PEER-D",
};
export const PREFIXES = [
  "203.0.113.0/25", "203.0.113.128/25", "198.51.100.0/24", "192.0.2.0/24", "2001:db8:42::/48",
  "198.51.100.64/26", "192.0.2.128/25", "2001:db8::/32",
];
const KINDS = [
  "sub_prefix_hijack", "route_leak", "origin_hijack", "rpki_invalid", "prefix_outage", "moas", "bogon_prefix",
  "forged_origin", "as_outage", "new_neighbour", "long_path", "roa_change", "squatting", "country_outage",
];
const CLASSES = [
  ["critical", 88], ["high", 71], ["medium", 52], ["low", 30], ["info", 12], ["high", 64], ["medium", 44],
];
const COUNTRIES = [["NL"], ["FR"], ["BR"], ["SG"], ["US", "CA"], ["ZA"], [], ["JP"], ["DE"], ["IN"], ["KE"], ["MT"]];

export const time = (ms) => new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
const pick = (list, at) => list[at % list.length];
const hex = (n) => ((n * 2654435761) >>> 0).toString(16).padStart(8, "0");

function names(asns) {
  return Object.fromEntries(asns.map((asn) => [asn, NAMES[asn]]).filter(([, name]) => name));
}

/** Incident `n`, counted from the newest; `now` in milliseconds since 1970. */
export function item(n, now) {
  const begun = now - (n * 97 + 14) * MINUTE - (n % 7) * 11_000;
  const ended = n % 5 === 0 || n === 1 ? null : Math.min(now, begun + ((n * 37) % 400 + 3) * MINUTE + 37_000);
  const kind = pick(KINDS, n);
  const [cls, severity] = pick(CLASSES, n);
  const bare = ["prefix_outage", "as_outage", "country_outage", "roa_change"].includes(kind);
  const culprits = bare ? [] : [kind === "route_leak" ? 64504 : 64496 + ((n * 5) % 4 === 0 ? 0 : (n * 3) % 8)];
  const victims = ["bogon_prefix", "long_path"].includes(kind) ? [] : [64500 + (n % 4)];
  const many = kind === "route_leak" || kind === "as_outage" || kind === "country_outage";
  const count = many ? 412 - n : 1 + (n % 3);
  const of = 45;
  const peak = 2 + ((n * 13) % 43);
  const spreading = ended === null && n < 5;
  return {
    number: 1000 - n, id: `RW-${time(begun).slice(0, 10).replaceAll("-", "")}-${hex(1000 - n)}`,
    detector_id: `RW-${time(begun).slice(0, 10).replaceAll("-", "")}-${hex(1000 - n)}`,
    kind, state: ended !== null ? "ended" : spreading ? "spreading" : n % 2 ? "ongoing" : "mitigated",
    class: cls, confidence: 40 + ((n * 17) % 59), severity,
    first_seen: time(begun), last_seen: time(ended ?? now - 20_000), ended_at: ended === null ? null : time(ended),
    opened_at: time(begun + 4000), updated_at: time(ended ?? now), version: 4, reported: n % 2 === 0,
    culprits, victims, victim_count: victims.length + (many ? 18 : 0),
    prefixes: Array.from({ length: Math.min(PREFIXES.length, count) }, (_, at) => pick(PREFIXES, n + at)), prefix_count: count,
    countries: pick(COUNTRIES, n),
    vantage_points: kind === "roa_change" ? null : { seen: peak, of, peak, now: ended === null ? Math.max(1, peak - 2) : 0 },
    rov: { state: pick(["not_found", "invalid", "valid", null], n), reason: n % 4 === 1 ? "asn" : null },
    constituency: n % 3 === 0 ? [{ member: "example", name: "Example Hospital", role: "victim" }]
      : n % 7 === 2 && culprits.length ? [{ member: "uni", name: "Example University", role: "culprit" }] : [],
    as_names: names([...culprits, ...victims, 64497, 64498, 64499, 64508, 64509, 64510, 64511]),
  };
}

function evidence(one) {
  const [culprit = 64497] = one.culprits;
  const [victim = 64500] = one.victims;
  const prefix = one.prefixes[0];
  return {
    evidence: [
      { rule: "more_specific_of_foreign_prefix", weight: 35, text: `AS${culprit} announces ${prefix}, a new more-specific of what AS${victim} originates.`, facts: { prefix, covering: "203.0.113.0/24", baseline: "table" } },
      { rule: "victim_reacted", weight: 25, text: `AS${victim} announced more-specifics of it 79 minutes later.`, facts: { after_secs: 4768, prefixes: ["203.0.113.0/26", "203.0.113.64/26"] } },
      { rule: "no_relation", weight: 10, text: `No relation between AS${culprit} and AS${victim} is known.`, facts: { relations: 123456 } },
      { rule: "countries_differ", weight: 10, text: "The two are registered in different countries.", facts: { culprit: "BR", victim: "NL" } },
      { rule: "widely_seen", weight: 10, text: `${one.vantage_points?.peak ?? 0} of ${one.vantage_points?.of ?? 0} vantage points had it.`, facts: one.vantage_points ?? {} },
    ],
    counter_evidence: one.number % 2 ? [] : [
      { rule: "neighbours", weight: -40, text: `AS${culprit} and AS${victim} are neighbours in 3 paths.`, facts: { paths: 3 } },
    ],
  };
}

const PEERS = [
  ["rrc00", 64508, "192.0.2.8", [64508, 64497]], ["rrc04", 64509, "192.0.2.9", [64509, 64498, 64497]],
  ["rrc11", 64510, "192.0.2.10", [64510, 64498, 64497]], ["route-views2", 64511, "192.0.2.11", [64511, 64499, 64499, 64499]],
  ["route-views.sg", 64505, "2001:db8::5", [64505, 64499]], ["rrc12", 64506, "192.0.2.6", [64506, 64505, 64499]],
  ["rrc15", 64507, "192.0.2.7", [64507, 64497]],
];

function samples(one) {
  const start = Date.parse(one.first_seen);
  const origin = one.culprits[0] ?? one.victims[0] ?? 64500;
  return PEERS.map(([collector, peer, addr, path], at) => ({
    time: time(start + at * 9000), collector, peer_asn: peer, peer_addr: addr, prefix: one.prefixes[at % Math.min(2, one.prefixes.length)],
    path: [...path.filter((asn) => asn !== origin), origin].join(" "),
  }));
}

/** The whole incident of an item; `other` is the id of one that it is tied to. */
export function whole(one, other) {
  const start = Date.parse(one.first_seen);
  const end = Date.parse(one.ended_at ?? one.last_seen);
  const leak = one.kind === "route_leak" ? { rfc7908_type: 1, from: 64505, by: 64504, to: 64497 } : null;
  return {
    ...one, propagators: one.culprits.length ? [64497, 64499] : [], detector_ids: [one.id], ended_unseen: false,
    incident: {
      id: one.detector_id, artemis_class: one.kind === "sub_prefix_hijack" ? "S|0|-|-" : null, leak,
      link: one.kind === "new_neighbour" || one.kind === "forged_origin" ? { a: 64497, b: one.victims[0] ?? 64500 } : null,
      covering_prefixes: one.kind === "sub_prefix_hijack" ? ["203.0.113.0/24"] : [],
      exposure_secs: Math.round((end - start) / 1000), recurrences: one.number % 3 === 0 ? 2 : 0, standing: false, aspa: null,
      related: [{ id: other, relation: "coincides" }],
      feeds: { sessions: 52, lost: one.number % 4 === 0 ? 14 : 0, degraded: one.number % 4 === 0,
        impaired: one.number % 4 === 0 ? [{ collector: "route-views.sg", state: "gap", from: time(start + (end - start) * 0.3), until: time(start + (end - start) * 0.45) }] : [] },
      ...evidence(one),
      countermeasures: one.kind === "sub_prefix_hijack" ? measures(one, start, end) : [],
      sample_paths: samples(one),
    },
  };
}

function measures(one, start, end) {
  const origin = one.victims[0];
  return [
    { time: time(start + (end - start) * 0.6), prefix: one.prefixes[0], origin, action: "same_prefix" },
    { time: time(start + (end - start) * 0.7), prefix: "203.0.113.0/26", origin, action: "more_specific" },
  ];
}

export function history(one) {
  const start = Date.parse(one.first_seen);
  const points = one.vantage_points;
  const row = (seq, change, at, state, part) => ({
    seq, change, at: time(at), recorded_at: time(at + 3000), version: seq, kind: one.kind, state, class: one.class,
    confidence: Math.round(one.confidence * part), severity: Math.round(one.severity * part), last_seen: time(at),
    ended_at: state === "ended" ? one.ended_at : null, prefix_count: one.prefix_count,
    vantage_points: points && { ...points, now: Math.round(points.peak * part) }, reports: [],
  });
  const rows = [row(1, "opened", start + 30_000, "spreading", 0.8), row(2, "updated", start + 90_000, "ongoing", 0.95),
    { seq: 3, change: "report_sent", at: time(start + 95_000), recorded_at: time(start + 95_000), version: 2, report: "opened" },
    row(4, "updated", start + 170_000, "ongoing", 1)];
  if (one.ended_at) rows.push(row(5, "ended", Date.parse(one.ended_at), "ended", 1));
  return { id: one.id, items: rows, next: null };
}

export function replay(one) {
  const detail = whole(one, one.id);
  const start = Date.parse(one.first_seen);
  const end = Date.parse(one.ended_at ?? one.last_seen);
  const source = (sample) => `${sample.collector}-${sample.peer_addr}`;
  const paths = detail.incident.sample_paths;
  const announced = paths.map((sample) => ({ type: "A", timestamp: sample.time, inferred: false, attrs: {
    source_id: source(sample), target_prefix: sample.prefix, path: sample.path.split(" ").map(Number), path_text: sample.path, community: [] } }));
  const gone = one.ended_at ? paths.map((sample) => ({ type: "W", timestamp: one.ended_at, inferred: true, attrs: { source_id: source(sample), target_prefix: sample.prefix } })) : [];
  const turned = detail.incident.countermeasures.length ? paths.slice(0, 3).map((sample, at) => {
    const path = [...sample.path.split(" ").map(Number).slice(0, -1), 64498, one.victims[0]].filter((asn, n, all) => all.indexOf(asn) === n);
    return { type: "A", timestamp: time(start + (end - start) * (0.62 + at * 0.05)), inferred: false, attrs: {
      source_id: source(sample), target_prefix: sample.prefix, path, path_text: path.join(" "), community: [] } };
  }) : [];
  const role = (asn) => one.culprits.includes(asn) ? "culprit" : one.victims.includes(asn) ? "victim"
    : detail.propagators.includes(asn) ? "propagator" : paths.some((p) => p.peer_asn === asn) ? "source" : "other";
  const asns = [...new Set([...announced, ...turned].flatMap((event) => event.attrs.path))];
  const seen = one.vantage_points ?? { peak: 0, of: 0, now: 0 };
  const point = (at, version, part) => ({ time: time(at), version, seen: Math.round(seen.peak * part), now: Math.round(seen.peak * part), of: seen.of });
  return {
    id: one.id, query_starttime: one.first_seen, query_endtime: time(end), targets: one.prefixes.map((prefix) => ({ prefix })),
    sources: paths.map((p) => ({ id: source(p), as_number: p.peer_asn, ip: p.peer_addr, rrc: p.collector })),
    nodes: asns.map((asn) => ({ as_number: asn, owner: NAMES[asn] ?? null, role: role(asn) })), initial_state: [],
    events: [...announced, ...turned, ...gone].sort((a, b) => Date.parse(a.timestamp) - Date.parse(b.timestamp)),
    visibility: seen.of ? [point(start, 1, 0.1), point(start + (end - start) * 0.1, 2, 0.6), point(start + (end - start) * 0.25, 3, 1), point(start + (end - start) * 0.7, 4, 0.4)] : [],
    countermeasures: detail.incident.countermeasures, sessions: [], basis: { samples: paths.length, versions: 4, events: 0, complete: false, reason: "no_trail" },
  };
}

export function feeds(now) {
  const names = ["rrc00", "rrc04", "rrc11", "rrc12", "rrc15", "route-views2", "route-views.sg", "router-1"];
  const state = (name) => name === "route-views.sg" ? ["degraded", "silent"] : name === "router-1" ? ["unknown", "learning"] : ["ok", "speaks"];
  return {
    now: time(now),
    sources: [{ name: "ris", kind: "ris_live", state: "up" }, { name: "archives", kind: "archive", state: "up" }, { name: "routers", kind: "bmp", state: "up" }],
    feeds: names.map((source) => ({ source, state: state(source)[0], is_degraded: state(source)[0] === "degraded", reason: state(source)[1], detail: {} })),
    recorded: names.map((feed) => ({ feed, state: state(feed)[0], since: time(now - 14 * MINUTE), detail: null })),
    gaps: [{ feed: "route-views.sg", from: time(now - 14 * MINUTE), to: null, filled: false, detail: null },
      { feed: "rrc11", from: time(now - 20 * HOUR), to: time(now - 17 * HOUR), filled: false, detail: null },
      { feed: "rrc04", from: time(now - 50 * HOUR), to: time(now - 49 * HOUR), filled: true, detail: null }],
  };
}

export function facts(now) {
  return {
    now: time(now),
    facts: [
      { kind: "vrps", source: "vrps (/var/lib/routewarden/vrps.json)", entries: 712345, confirmed: time(now - 5 * MINUTE), is_stale: false, failures: 0, last_failure: null },
      { kind: "relations", source: "relations (/var/lib/routewarden/as-rel.txt)", entries: 512000, confirmed: time(now - 90 * 24 * HOUR), is_stale: true, failures: 3, last_failure: "not_found" },
    ],
    versions: [{ name: "vrps", version: `sha256 ${hex(7).repeat(8)}`, applied_at: time(now - 5 * MINUTE), detail: null },
      { name: "vrps", version: `sha256 ${hex(6).repeat(8)}`, applied_at: time(now - 65 * MINUTE), detail: null }],
  };
}

export function statistics(items, now) {
  const before = Math.ceil(now / HOUR) * HOUR;
  const from = before - 48 * HOUR;
  const buckets = items.filter((one) => Date.parse(one.first_seen) >= from)
    .map((one) => ({ time: time(Math.floor(Date.parse(one.first_seen) / HOUR) * HOUR), kind: one.kind, class: one.class, count: 1 + (one.number % 4) }));
  return { by: "hour", from: time(from), before: time(before), buckets,
    open: items.filter((one) => !one.ended_at).map((one) => ({ kind: one.kind, class: one.class, count: 1 })) };
}
