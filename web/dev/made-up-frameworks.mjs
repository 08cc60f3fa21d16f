// Profiles of readiness as the mock knows them: metrics and the scores made of them.
const c = "c: 0.5 below 30 min, else 1 and 1 more for each whole 24 h";
const curve = "score: 0.6 ^ sqrt(raw / 0.5)";
const incidents = (what) => `sum over incidents of c(duration) x weight; counted: ${what}; ${c}; weight: 1 from a confidence of 50; ${curve}`;
const METRICS = [
  ["M1", "Route leaks by the AS", incidents("route leaks of which the AS is the culprit")],
  ["M1C", "Route leaks of a neighbour that the AS passed on", incidents("route leaks that the AS passed on from the culprit next to it")],
  ["M2", "Misoriginations (hijacks) by the AS", incidents("misoriginations of which the AS is the culprit")],
  ["M2C", "Misoriginations of a neighbour that the AS passed on", incidents("misoriginations that the AS passed on from the culprit next to it")],
  ["M3", "Bogon prefixes announced by the AS", incidents("bogon prefixes of which the AS is the culprit")],
  ["M3C", "Bogon prefixes of a neighbour that the AS passed on", incidents("bogon prefixes that the AS passed on from the culprit next to it")],
  ["M4", "Bogon ASNs in paths that the AS announced", incidents("bogon ASNs of which the AS is the culprit")],
  ["M4C", "Bogon ASNs in paths of a neighbour that the AS passed on", incidents("bogon ASNs that the AS passed on from the culprit next to it")],
  ["M5", "Prefixes from which spoofed packets were received", `distinct prefixes from which spoofed packets were received; ${curve}`],
  ["M7IRR", "Share of routes with a route object", "registered / announced routes; registered: a route object of its origin has its prefix or covers it; score: as raw"],
  ["M7RPKI", "Share of RPKI-valid routes, less ten times the share of invalid ones", "(valid - 10 x invalid) / all routes; score: as raw, 0 where it is below"],
  ["M7RPKIN", "Share of RPKI-invalid routes", "invalid / all routes; score: 1 - raw"],
  ["M8", "Contacts can be looked up", "1 with a contact that counts, else 0; counted: NOC, technical and policy contacts; score: as raw"],
].map(([id, title, formula]) => ({ id, title, formula }));
const OURS = [
  ["ROV", "RPKI-invalid routes dropped", "dropped / looked at invalid routes; no data below 5 of these; score: as raw"],
  ["OTC", "Routes marked with OTC", "marked / routes to customers and peers; no data below 5 of these; score: as raw"],
  ["ASPA", "Providers named in an ASPA", "named / providers seen; no data below 1 of these; score: as raw"],
].map(([id, title, formula]) => ({ id, title, formula }));
const A1 = ["M2", "M2C", "M3", "M3C", "M4", "M4C"];
const SCORES = [
  ["A1", "Filtering", A1], ["A2", "Anti-spoofing", ["M5"]], ["A3", "Coordination", ["M8"]],
  ["A4-IRR", "Global validation: IRR", ["M7IRR"]], ["A4-RPKI", "Global validation: RPKI", ["M7RPKI"]],
].map(([id, title, metrics]) => ({ id, title, metrics }));
const restored = [{ ...SCORES[0], metrics: ["M1", "M1C", ...A1] }, ...SCORES.slice(1)];
const more = [
  { id: "A1-ROV", title: "Filtering: RPKI-invalid routes", metrics: ["ROV"] }, { id: "A1-OTC", title: "Filtering: OTC (RFC 9234)", metrics: ["OTC"] },
  { id: "A4-ASPA", title: "Global validation: ASPA", metrics: ["ASPA"] },
];

function profile(id, title, metrics, scores, is_default = false) {
  const scored = new Set(scores.flatMap((one) => one.metrics));
  return {
    id, title, source: "Made up for working on the pages.", sha256: "5f".repeat(32), is_default, aspiring_from_percent: 60, ready_from_percent: 80,
    metrics: metrics.map((metric) => ({ ...metric, is_scored: scored.has(metric.id) })), scores,
  };
}

export const PROFILES = [
  profile("manrs-2018", "MANRS prototype of 2018: raw figures", METRICS, []),
  profile("manrs-2023", "MANRS measurement framework as of 2023", METRICS, restored),
  profile("manrs-2024", "MANRS measurement framework as of January 2024", METRICS, SCORES, true),
  profile("routewarden-1", "Routewarden's own, first version", [...METRICS, ...OURS], [...restored, ...more]),
];
export const profileOf = (id) => PROFILES.find((one) => (id ? one.id === id : one.is_default));
