// Readiness of made-up networks in documentation ASNs (RFC 5398), in the shapes of the API. Nothing here is random.
import { PROFILES, profileOf } from "./made-up-frameworks.mjs";
import { NAMES, time } from "./made-up.mjs";

const DAY = 24 * 3_600_000;
const ASNS = [...Array.from({ length: 16 }, (_, n) => 64496 + n), ...Array.from({ length: 16 }, (_, n) => 65536 + n)];
const COUNTRIES = "NL FR BR NL US ZA JP DE FR IN KE MT GB FR SE PL ES IT CA AR AU EG NG ID CN TR MX FI FR CL KZ NL".split(" ");
const REGIONS = {
  "western-europe": ["Western Europe", "NL FR DE"], "northern-europe": ["Northern Europe", "GB SE FI"], "southern-europe": ["Southern Europe", "MT ES IT"],
  "eastern-europe": ["Eastern Europe", "PL"], "northern-america": ["Northern America", "US CA"], "latin-america-and-the-caribbean": ["Latin America and the Caribbean", "BR AR MX CL"],
  "sub-saharan-africa": ["Sub-Saharan Africa", "ZA KE NG"], "northern-africa": ["Northern Africa", "EG"], "eastern-asia": ["Eastern Asia", "JP CN"],
  "southern-asia": ["Southern Asia", "IN"], "south-eastern-asia": ["South-eastern Asia", "ID"], "western-asia": ["Western Asia", "TR"],
  "central-asia": ["Central Asia", "KZ"], "australia-and-new-zealand": ["Australia and New Zealand", "AU"],
};
const REGISTRIES = { ripencc: "NL FR DE GB SE FI MT ES IT PL TR KZ", arin: "US CA", lacnic: "BR AR MX CL", afrinic: "ZA KE NG EG", apnic: "JP CN IN ID AU" };
const SECTORS = ["health", "education", "finance"];
const MONTHS = 6;
const round = (value) => Math.round(value * 1e9) / 1e9;
const curve = (raw) => round(0.6 ** Math.sqrt(raw / 0.5));
const classOf = (score) => (score === null ? "no_data" : score >= 0.8 ? "ready" : score >= 0.6 ? "aspiring" : "lagging");

function networkOf(asn, n) {
  const country = COUNTRIES[n];
  const [region] = Object.entries(REGIONS).find(([, [, codes]]) => codes.split(" ").includes(country)) ?? [];
  const [registry = null] = Object.entries(REGISTRIES).find(([, codes]) => codes.split(" ").includes(country)) ?? [];
  return {
    n, asn, name: NAMES[asn] ?? (n % 5 === 4 ? null : `NETWORK-${asn} made up for documentation`), country, registry,
    region: region ? { id: region, name: REGIONS[region][0] } : null, sectors: n % 4 === 1 ? [SECTORS[n % 3]] : [],
    participant: n % 3 === 0 ? [{ programme: "net-ops", name: "Network operators", since: n % 2 ? null : "2020-01-01T00:00:00Z" }] : [],
    address_space: { ipv4_24s: (n * 7919) % 4096 + 1, ipv6_48s: n % 6 === 5 ? 0 : (n * 65537) % 1_048_576 }, prefixes: { ipv4: (n * 31 + 44) % 700 + 1, ipv6: n % 6 === 5 ? 0 : (n * 7) % 60 + 1 },
  };
}
const NETWORKS = ASNS.map(networkOf);

const monthsOf = (now) => Array.from({ length: MONTHS }, (_, back) => {
  const today = new Date(now);
  const [from, until] = [0, 1].map((next) => Date.UTC(today.getUTCFullYear(), today.getUTCMonth() - back + next));
  return { id: time(from).slice(0, 7), from: time(from), until: time(until), is_over: back > 0, back, measured_at: time(back > 0 ? until + 600_000 : now - 900_000) };
});

/** The period asked for, this month unless; null when it was never measured. */
function periodOf(id, now) {
  const days = /^(7|30|90)d$/.exec(id ?? "")?.[1];
  if (days) return { id, from: time(now - days * DAY), until: time(now), is_over: false, back: 0, measured_at: time(now - 900_000) };
  return monthsOf(now).find((one) => !id || one.id === id) ?? null;
}

/** Raw penalty of the incidents of a metric; most networks have none. */
function counted(network, metric, period) {
  const at = ["M1", "M1C", "M2", "M2C", "M3", "M3C", "M4", "M4C"].indexOf(metric);
  if ((network.n * 5 + at * 3 + period.back + 23) % 29 > 1) return [];
  const begin = Date.parse(period.from) + DAY * (1 + ((network.n + at) % 5));
  return Array.from({ length: 1 + (network.n % 2) }, (_, k) => {
    const hours = [0.3, 2.2, 27][(network.n + k) % 3];
    const from = begin + k * DAY * 3;
    return { from: time(from), until: time(from + hours * 3_600_000), coefficient: hours < 0.5 ? 0.5 : 1 + Math.floor(hours / 24), weight_percent: (network.n + k) % 4 === 3 ? 50 : 100, events: [eventId(from, network.n + k)] };
  });
}
const eventId = (at, n) => `RW-${time(at).slice(0, 10).replaceAll("-", "")}-${(((n + 77) * 2654435761) >>> 0).toString(16).padStart(8, "0")}`;

function routes(network, period) {
  const all = network.prefixes.ipv4 + network.prefixes.ipv6;
  const n = network.n + 6;
  const invalid = n % 4 === 2 ? Math.min(all, 2) : 0;
  const not_found = Math.min(all - invalid, Math.floor((all * ((n * 13 + period.back) % 10)) / 20));
  const unregistered = Math.floor((all * ((n * 7) % 9)) / 16);
  return { all, invalid, not_found, valid: all - invalid - not_found, unregistered };
}

function valueOf(network, id, period) {
  const of = routes(network, period);
  const missing = (input, text) => ({ raw: null, score: null, no_data: { reason: "input_missing", input }, no_data_text: text, inputs: {} });
  const few = (have, least) => ({ raw: null, score: null, no_data: { reason: "too_few", have, least }, no_data_text: `${have} seen, ${least} needed`, inputs: {} });
  const share = (part, whole, more = {}) => ({ raw: round(part / whole), score: round(Math.max(0, part / whole)), inputs: { part, whole }, ...more });
  const prefix = (n) => `203.0.113.${(n * 16) % 256}/28`;
  const named = (count, state, from = 0) => Array.from({ length: Math.min(count, 12) }, (_, n) => ({ prefix: prefix(n + from), state }));
  if (id === "M5") return network.n % 3 === 1 ? { raw: network.n % 2, score: curve(network.n % 2), inputs: { tests: 4, received_prefixes: network.n % 2 } } : { ...missing("spoofer", "no public test for spoofing in the period"), no_data: { reason: "no_tests" } };
  if (id === "M8") return missing("contacts", "no contacts given");
  if (id === "M7IRR") return share(of.all - of.unregistered, of.all, { inputs: { announced: of.all, exact: 1, covered: of.all - of.unregistered }, routes: named(of.unregistered, "unregistered", 4) });
  if (id === "M7RPKI") return share(of.valid - 10 * of.invalid, of.all, { inputs: { valid: of.valid, not_found: of.not_found, invalid: of.invalid }, routes: [...named(of.invalid, "invalid"), ...named(of.not_found, "not_found", 3)] });
  if (id === "M7RPKIN") return { raw: round(of.invalid / of.all), score: round(1 - of.invalid / of.all), inputs: { valid: of.valid, not_found: of.not_found, invalid: of.invalid }, routes: named(of.invalid, "invalid") };
  if (id === "ROV") return network.n % 3 === 2 ? few(3, 5) : share(network.n % 3 ? 38 : 11, 40);
  if (id === "OTC") return network.n % 2 ? missing("otc_routes", "no marked routes given") : share(network.n, 40);
  if (id === "ASPA") return share(network.n % 4, 3 + (network.n % 4));
  const incidents = counted(network, id, period);
  const raw = incidents.reduce((sum, one) => sum + (one.coefficient * one.weight_percent) / 100, 0);
  const why = ["marked as a false positive", "by a person of the NOC: planned move of the prefix"][network.n % 2];
  const dismissed = id === "M2" && network.n % 6 === 0 ? [{ event: eventId(Date.parse(period.from) + DAY, 3), why }] : [];
  return { raw, score: curve(raw), inputs: { events: incidents.length + dismissed.length, incidents: incidents.length, dismissed: dismissed.length, doubtful: network.n % 3 }, incidents, ...(dismissed.length ? { dismissed } : {}) };
}

function measured(network, profile, period) {
  const metrics = profile.metrics.map(({ id, title, formula, is_scored }) => {
    const value = valueOf(network, id, period);
    return { id, title, formula, no_data: null, no_data_text: null, incidents: [], ...value, state: value.score === null ? "no_data" : is_scored ? "scored" : "informational" };
  });
  const actions = profile.scores.map(({ id, title, metrics: made }) => {
    const of = metrics.filter((one) => made.includes(one.id));
    const missing = of.filter((one) => one.score === null).map((one) => one.id);
    const raw = id === "A1" ? of.reduce((sum, one) => sum + (one.raw ?? 0), 0) : null;
    const score = missing.length > 0 ? null : id === "A1" ? curve(raw) : of[0].score;
    return { id, title, score, class: classOf(score), raw, missing };
  });
  return { metrics, actions };
}

function adviceOf({ metrics, actions }) {
  const of = (id) => actions.find((one) => one.id === id);
  const found = actions.filter((one) => one.score !== null && one.score < 1).map(({ id, score }) => {
    const events = id === "A1" ? metrics.filter((one) => one.state === "scored").flatMap((one) => one.incidents.flatMap((incident) => incident.events)).slice(0, 3) : [];
    const routes = (metrics.find((one) => ({ "A4-RPKI": "M7RPKI", "A4-IRR": "M7IRR" })[id] === one.id)?.routes ?? []).slice(0, 4).map((one) => one.prefix);
    const text = { A1: `Filter what customers announce: ${events.length} incidents count, ${events.join(", ")}`, "A4-RPKI": `Correct or withdraw RPKI-invalid routes and make ROAs: ${routes.join(", ")}`, "A4-IRR": `Make route objects: ${routes.join(", ")}` }[id] ?? `Look at what ${id} is made of`;
    return { score: id, now: score, after: Math.min(1, round(score + 0.2)), text, events, prefixes: routes };
  });
  return of("A1") ? found.sort((a, b) => b.after - b.now - (a.after - a.now)) : [];
}

function conformance(network) {
  const action = (id, title, is_mandatory, state, why) => ({ id, title, is_mandatory, state, why });
  if (network.n % 3 !== 0) return [];
  const met = network.n % 2 === 0;
  return [{ programme: "net-ops", state: met ? "conformant" : "non_conformant", actions: [
    action("filtering", "Prevent propagation of incorrect routing information", true, met ? "met" : "not_met", met ? "A1 is 80 % or more" : "A1 is below 80 %: incidents of which it is the culprit"),
    action("anti-spoofing", "Prevent traffic with spoofed source addresses", false, "declared", "it says so; nothing measured it"),
    action("coordination", "Keep contacts up to date", true, "no_data", "no contacts given"),
    action("global-validation", "Let others validate routing information", true, "met", "more than 90 % of its routes are registered"),
  ] }];
}

const ROV = [
  { verdict: "drops", n: 40, dropped: 38, low: 0.83, high: 0.99, text: "Of 40 invalid routes that its neighbours pass on, 38 do not come out of it." },
  { verdict: "partly", n: 40, dropped: 17, low: 0.28, high: 0.58, text: "17 of 40 invalid routes do not come out of it; it may drop them from some neighbours." },
  { verdict: "unknown", n: 3, dropped: 1, low: 0.06, high: 0.79, text: "3 invalid routes were seen, 5 are needed." }, null,
  { verdict: "passes", n: 62, dropped: 1, low: 0, high: 0.09, text: "61 of 62 invalid routes come out of it." },
];

function whole(network, profile, now, period) {
  const { n, ...shown } = network;
  const found = measured(network, profile, period);
  const history = monthsOf(now).toReversed().map((month) => ({
    // The feeds were lost for a month: nothing is known of it.
    period: month.id, scores: measured(network, profile, month).actions.map(({ id, score }) => ({ id, score: month.back === 3 ? null : score })),
  }));
  return { ...shown, conformance: conformance(network), ...found, advice: adviceOf(found), history, rov: ROV[n % ROV.length] };
}

const groupsOf = (network, by) =>
  ({ world: ["world"], country: [network.country], region: network.region ? [network.region.id] : [], registry: [network.registry ?? "none"], sector: network.sectors, constituency: network.sectors.length ? ["constituency"] : [] })[by];

function mean(rows, weight) {
  const known = rows.filter((row) => row.score !== null);
  const sum = known.reduce((all, row) => all + weight(row), 0);
  return sum > 0 ? round(known.reduce((all, row) => all + row.score * weight(row), 0) / sum) : null;
}

function groupOf(by, id, profile, period) {
  const members = NETWORKS.filter((network) => groupsOf(network, by)?.includes(id));
  if (members.length === 0) return null;
  const rows = (at) => members.map((network) => ({ network, actions: measured(network, profile, at).actions }));
  const [now, before] = [rows(period), rows({ ...period, back: period.back + 1 })];
  const scores = profile.scores.map(({ id: score }) => {
    const of = (all) => all.map(({ network, actions }) => ({ network, ...actions.find((one) => one.id === score) }));
    const [here, then] = [of(now), mean(of(before), () => 1)];
    const classes = Object.fromEntries(["ready", "aspiring", "lagging", "no_data"].map((name) => [name, here.filter((one) => one.class === name).length]));
    const average = mean(here, () => 1);
    return {
      id: score, mean: average, mean_by_ipv4: mean(here, (one) => one.network.address_space.ipv4_24s), mean_by_ipv6: mean(here, (one) => one.network.address_space.ipv6_48s), classes,
      trend: average === null || then === null || period.back === MONTHS - 1 ? null : round(average - then),
    };
  });
  const space = (name) => members.reduce((sum, one) => sum + one.address_space[name], 0);
  const name = by === "region" ? REGIONS[id]?.[0] : { world: "World", constituency: "Constituency" }[by];
  return { id, name: by === "country" ? new Intl.DisplayNames(["en"], { type: "region" }).of(id) : (name ?? null), ases: members.length, address_space: { ipv4_24s: space("ipv4_24s"), ipv6_48s: space("ipv6_48s") }, scores };
}

function ranked(query, profile, period) {
  const score = query.get("score") ?? profile.scores[0]?.id;
  const by = query.get("by");
  const rows = NETWORKS.filter((one) => !by || groupsOf(one, by)?.includes(query.get("id"))).map((network) => {
    const scores = measured(network, profile, period).actions.map(({ id, score: value, class: name }) => ({ id, score: value, class: name }));
    const { asn, name, country, address_space, participant } = network;
    return { asn, name, country, address_space, rank: null, scores, participant: participant.map((one) => one.programme) };
  });
  const value = (row) => row.scores.find((one) => one.id === score)?.score ?? null;
  const known = rows.filter((row) => value(row) !== null).sort((a, b) => value(b) - value(a) || a.asn - b.asn);
  for (const row of known) row.rank = { place: known.findIndex((one) => value(one) === value(row)) + 1, of: known.length, ties: known.filter((one) => value(one) === value(row)).length };
  if (query.get("order") !== "best") known.sort((a, b) => value(a) - value(b) || a.asn - b.asn);
  const all = [...known, ...rows.filter((row) => value(row) === null)];
  return { score, all: all.filter((row) => !query.get("class") || row.scores.find((one) => one.id === score)?.class === query.get("class")) };
}

function providersOf(found) {
  const rows = found.map((one) => {
    const of = (id) => one.actions.find((action) => action.id === id);
    const reason = (id, weight, good, bad, unknown) => {
      const score = id === "ROV" ? { drops: 1, partly: 0.5, passes: 0 }[one.rov?.verdict] ?? null : (of(id)?.score ?? null);
      return { for: score === null ? null : score >= 0.8, weight, score_id: id, text: score === null ? unknown : score >= 0.8 ? good : bad, score };
    };
    const reasons = [
      reason("A1", 40, "no hijack passed on in the period", "hijacks or bogons passed on in the period", "no incidents known"),
      reason("ROV", 30, "drops RPKI-invalid routes", "passes on RPKI-invalid routes", "too few invalid routes seen to tell"),
      reason("A4-RPKI", 20, "its own routes are RPKI-valid", "many of its own routes have no ROA, or a wrong one", "announces nothing"),
      reason("A3", 10, "contacts can be looked up", "no contacts can be looked up", "no contacts given"),
    ];
    const known = reasons.filter((one) => one.for !== null);
    const weight = known.reduce((sum, one) => sum + one.weight, 0);
    return { asn: one.asn, name: one.name, known: weight / 100, score: weight ? round(known.reduce((sum, one) => sum + one.weight * one.score, 0) / weight) : null, reasons: reasons.map(({ score, ...rest }) => rest) };
  }).sort((a, b) => (b.score ?? -1) - (a.score ?? -1));
  return rows.map((row) => ({ ...row, place: rows.findIndex((one) => one.score === row.score) + 1, ties: rows.filter((one) => one.score === row.score).length }));
}

const SOURCES = [["incidents", "store", 0, null, 130], ["routes", "running table", 0, null, 1_021_344], ["vrps", "vrps.json", 1, "3b", 620_113], ["irr", "ripe.db.route.gz", 3, "7e", 402_200], ["delegations", "nro-delegated-stats", 9, "c1", 78_411], ["spoofer", "sessions.csv", 41, "90", 51_112]];
const MISSING = [{ input: "contacts", text: "no contacts given" }, { input: "aspas", text: "no ASPAs given" }];

const problem = (status, code, detail) => ({ status, body: { type: `/problems/${code}`, title: "", status, code, detail } });
const is = (body) => ({ status: 200, body });

/** The answer to a question about readiness; null when it is about something else. `empty`: nothing was measured yet. */
export function answerReadiness(path, query, now, empty) {
  const [, head, what, ...rest] = path.split("/");
  if (head !== "readiness") return null;
  if (what === "profiles") return is({ profiles: PROFILES });
  if (what === "periods") return is({ periods: empty ? [] : monthsOf(now).map(({ back, ...one }) => one), windows: ["7d", "30d", "90d"] });
  if (empty && query.get("period") === "7d") return problem(503, "measuring", "the first measurement runs");
  const [profile, period] = [profileOf(query.get("profile")), periodOf(query.get("period"), now)];
  if (!profile) return problem(400, "bad_parameter", "profile: expected one of those of /readiness/profiles");
  if (!period || empty) return problem(404, "not_measured", `${query.get("period") ?? "this month"} was never measured`);
  const { back, measured_at, ...span } = period;
  const sources = SOURCES.map(([input, name, days, digest, entries]) => ({ input, name, date: days ? time(now - days * DAY) : time(now - 900_000), sha256: digest ? digest.repeat(32) : null, entries }));
  const begin = { profile: profile.id, period: span, measured_at, sources, missing: MISSING };
  const answered = answer(what, rest, query, { profile, period, now });
  return answered?.status ? answered : answered ? is({ ...begin, ...answered }) : problem(404, "not_found", "there is nothing at this address");
}

function answer(what, [by, ...id], query, { profile, period, now }) {
  const found = (asns) => NETWORKS.filter((one) => asns.includes(one.asn)).map((one) => whole(one, profile, now, period));
  if (what === "groups" && id.length === 0) {
    const ids = [...new Set(NETWORKS.flatMap((one) => groupsOf(one, by) ?? []))].sort();
    return { by, groups: ids.map((one) => groupOf(by, one, profile, period)) };
  }
  if (what === "groups") {
    const group = groupOf(by, id.join("/"), profile, period);
    if (!group) return problem(404, "no_group", "no network is in that group");
    const history = monthsOf(now).toReversed().map((month) => ({ period: month.id, scores: groupOf(by, group.id, profile, month).scores.map((one) => ({ id: one.id, mean: one.mean })) }));
    return { by, group, history };
  }
  if (what === "ases" && by) return found([Number(by)])[0] ?? problem(404, "no_as", `AS${by} announced nothing and has no part in an incident`);
  if (what === "ases") {
    const { score, all } = ranked(query, profile, period);
    const [from, limit] = [Number(query.get("after") ?? 0), Number(query.get("limit") ?? 50)];
    return { score: score ?? "", total: all.length, ases: all.slice(from, from + limit), next: from + limit < all.length ? String(from + limit) : null };
  }
  const asns = (query.get("asns") ?? "").split(",").map(Number);
  if (asns.length < 2 || asns.length > 10) return problem(400, "bad_parameter", "asns: expected 2 to 10 different ASNs, as 64496,64497");
  const ases = found(asns);
  if (what === "compare") return { ases, missing_asns: asns.filter((asn) => !ases.some((one) => one.asn === asn)) };
  const candidates = providersOf(ases);
  return what === "providers" ? { candidates, advice: `AS${candidates[0]?.asn} has the most for it. What is not known counts neither way.` } : null;
}
