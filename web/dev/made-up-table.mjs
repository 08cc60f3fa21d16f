// What the running table of the mock says: prefixes, their origins and routes, neighbours of an AS; and
// every route change of an incident, as if all of them had been kept.
import { NAMES, PREFIXES, time } from "./made-up.mjs";

const HOUR = 3_600_000;
const COLLECTORS = ["rrc00", "rrc04", "rrc11", "rrc12", "rrc15", "route-views2"];
const POINTS = Array.from({ length: 24 }, (_, n) => ({
  collector: COLLECTORS[n % COLLECTORS.length], peer_asn: 65536 + n, peer_addr: n % 5 === 4 ? `2001:db8:ffff::${n}` : `192.0.2.${n + 1}`,
}));
/** How each vantage point gets to an origin. */
function path(n, origin) {
  const middle = [[64508, 64497], [64509, 64498], [64510, 64498, 64497], [64511, 64499]][n % 4];
  return [65536 + n, ...middle, origin].filter((asn, at, all) => all.indexOf(asn) === at);
}

export function prefixNow(prefix, query, now) {
  const match = query.get("match") ?? "exact";
  const found = match === "exact" ? PREFIXES.filter((one) => one === prefix)
    : match === "covering" ? [...PREFIXES.filter((one) => one === prefix), "203.0.113.0/24"].filter((one, at, all) => all.indexOf(one) === at)
    : [prefix, ...PREFIXES.slice(0, 2)].filter((one, at, all) => all.indexOf(one) === at);
  const one = (text, at) => {
    const origins = at === 0 && PREFIXES.includes(text) ? [64500, 64496] : [64500 + (at % 4)];
    return {
      prefix: text, peers: POINTS.length,
      origins: origins.map((asn, n) => ({ asn, name: NAMES[asn] ?? null, peers: n === 0 ? 19 : 5, rov: n === 0 ? { state: "valid", reason: null } : { state: "invalid", reason: "asn" }, aspa: n === 0 ? "unknown" : "invalid", since: time(now - (n === 0 ? 4000 : 3) * HOUR) })),
      routes: POINTS.map((point, n) => ({ ...point, path_text: path(n, origins[n % 5 === 0 ? origins.length - 1 : 0]).join(" "), since: time(now - (n + 1) * HOUR) })),
    };
  };
  return { prefix, at: time(now - 2000), in_baseline: false, total_peers: { v4: POINTS.length, v6: POINTS.length - 4 }, prefixes: found.map(one), truncated: match === "covered" };
}

export function asNow(asn, now) {
  const relation = ["provider", "customer", "peer", "customer", "peer", null];
  const neighbours = Object.keys(NAMES).map(Number).filter((one) => one !== asn).slice(0, 9);
  return {
    asn, name: NAMES[asn] ?? null, at: time(now - 2000), country: "NL", in_baseline: false, truncated: false, prefix_count: { v4: 1180, v6: 24 },
    prefixes: PREFIXES.map((prefix, n) => ({ prefix, peers: 24 - n, since: time(now - n * 999 * HOUR), rov: [{ state: "valid", reason: null }, { state: "invalid", reason: "max_length" }, { state: "not_found", reason: null }, { state: null, reason: null }][n % 4] })),
    neighbours: neighbours.map((one, n) => ({ asn: one, name: NAMES[one] ?? null, relation: relation[n % 6], confidence: n % 6 === 5 ? null : 98 - n * 7, paths: 5200 - n * 431 })),
  };
}

/** Routes of all vantage points before, while and after: to the victim, to the culprit, back by more specifics. */
export function wholeReplay(base, one) {
  const [culprit] = one.culprits;
  const [victim] = one.victims;
  const [start, end] = [Date.parse(base.query_starttime), Date.parse(base.query_endtime)];
  const span = end - start;
  const [whole, part, answer] = ["203.0.113.0/24", one.prefixes[0], "203.0.113.0/26"];
  const source = (point) => `${point.collector}-${point.peer_addr}`;
  const route = (n, prefix, origin) => ({ source_id: source(POINTS[n]), target_prefix: prefix, path: path(n, origin), path_text: path(n, origin).join(" "), community: [] });
  const event = (type, at, attrs) => ({ type, timestamp: time(at), inferred: false, attrs });
  const events = POINTS.flatMap((_, n) => {
    const seen = n % 6 !== 5 ? [event("A", start + (n * n * 2_000) % (span * 0.2), route(n, part, culprit))] : [];
    const back = event("A", start + span * (0.6 + (n % 7) * 0.04), route(n, answer, victim));
    const gone = one.ended_at && seen.length ? [event("W", end - (n * 1500) % 30_000, { source_id: source(POINTS[n]), target_prefix: part, path: [], path_text: "", community: [] })] : [];
    return [...seen, back, ...gone];
  }).sort((a, b) => Date.parse(a.timestamp) - Date.parse(b.timestamp));
  const asns = [...new Set(POINTS.flatMap((_, n) => [...path(n, victim), culprit]))];
  const role = (asn) => asn === culprit ? "culprit" : asn === victim ? "victim" : asn >= 65536 ? "source" : asn === 64497 ? "propagator" : "other";
  return {
    ...base, targets: [whole, part, answer].map((prefix) => ({ prefix })),
    sources: POINTS.map((point) => ({ id: source(point), as_number: point.peer_asn, ip: point.peer_addr, rrc: point.collector })),
    nodes: asns.map((asn) => ({ as_number: asn, owner: NAMES[asn] ?? null, role: role(asn) })),
    initial_state: POINTS.map((_, n) => route(n, whole, victim)), events,
    sessions: [], basis: { samples: 0, versions: 4, events: events.length, complete: true, reason: null },
  };
}

export function updates(replay, query) {
  const from = Number(query.get("after") ?? 0);
  const limit = Number(query.get("limit") ?? 100);
  const points = new Map(replay.sources.map((source) => [source.id, source]));
  if (replay.basis.reason === "no_trail") return { id: replay.id, complete: false, reason: "no_trail", items: [], next: null };
  const all = replay.events.map((event, at) => {
    const point = points.get(event.attrs.source_id);
    return { seq: at + 1, inferred: event.inferred, communities: event.type === "A" ? ["64511:100"] : [], time: event.timestamp, collector: point.rrc, peer_asn: point.as_number, peer_addr: point.ip, type: event.type, prefix: event.attrs.target_prefix, path_text: event.attrs.path_text ?? "" };
  });
  return { id: replay.id, complete: true, reason: null, items: all.slice(from, from + limit), next: from + limit < all.length ? from + limit : null };
}
