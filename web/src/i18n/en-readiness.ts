import type { By, Conformance, Metric, Order, ReadinessClass, RouteState, RovVerdict, VerdictName } from "../readiness/types";
import type { GroupOrder } from "../readiness/table";

const counted = (n: number, one: string, many: string) => `${n.toLocaleString("en")} ${n === 1 ? one : many}`;

const classes: Record<ReadinessClass, string> = { ready: "ready", aspiring: "aspiring", lagging: "lagging", no_data: "no data" };
const by: Record<By, string> = {
  world: "World", country: "Countries", region: "Regions", registry: "Registries", sector: "Sectors", constituency: "Constituency",
};
const oneBy: Record<By, string> = {
  world: "World", country: "Country", region: "Region", registry: "Registry", sector: "Sector", constituency: "Constituency",
};
const orders: Record<Order, string> = { worst: "worst first", best: "best first" };
const groupOrders: Record<GroupOrder, string> = { lowest: "lowest first", highest: "highest first", size: "most networks first", name: "by name" };
const states: Record<Metric["state"], string> = { scored: "scored", informational: "shown, not scored", no_data: "no data" };
const routeStates: Record<RouteState, string> = { invalid: "RPKI-invalid", not_found: "without a ROA", unregistered: "without a route object" };
const rovVerdicts: Record<RovVerdict["verdict"], string> = {
  drops: "drops RPKI-invalid routes", partly: "drops some RPKI-invalid routes", passes: "passes RPKI-invalid routes on", unknown: "not known",
};
const conformances: Record<Conformance["state"], string> = { conformant: "conformant", non_conformant: "not conformant", no_data: "no data" };
const actionStates: Record<Conformance["actions"][number]["state"], string> = { met: "met", not_met: "not met", no_data: "no data", declared: "declared" };
/** Who of those with data is ready; one or more have data. */
function whoIs(ready: number, known: number): string {
  if (known === 1) return `the one network with data is${ready === 1 ? "" : " not"}`;
  if (ready === known) return `all ${counted(known, "network", "networks")} with data are`;
  return `${ready.toLocaleString("en")} of ${counted(known, "network", "networks")} with data ${ready === 1 ? "is" : "are"}`;
}
/** Percentage points, as they are written, with their sign. */
const inPoints = (text: string) => `${text} ${/^[+−]?1$/.test(text) ? "point" : "points"}`;

/** How ready networks are. Titles of scores and metrics are the API's, in English; a dictionary may have its own by id. */
export const readiness = {
  title: "Readiness", classes, by, oneBy, orders, groupOrders, states, routeStates, rovVerdicts, conformances, actionStates,
  scores: {} as Record<string, string>, metrics: {} as Record<string, string>,
  inputs: {
    incidents: "incidents", delegations: "delegations", spoofer: "spoofing tests", routes: "announced routes", irr: "route objects", vrps: "ROAs (VRPs)", contacts: "contacts",
    aspas: "ASPAs", relations: "relations of ASes", otc_routes: "routes with OTC", invalid_routes: "RPKI-invalid routes",
  } as Record<string, string>,
  figures: {
    events: "events", incidents: "incidents counted", dismissed: "do not count", doubtful: "too doubtful to count", tests: "tests", received_prefixes: "prefixes received from",
    announced: "announced routes", exact: "registered exactly", covered: "registered or covered", valid: "valid", not_found: "without a ROA", invalid: "invalid", contact_kinds: "kinds of contacts", part: "do so", whole: "seen",
  } as Record<string, string>,
  period: "Period", profile: "Profile", grouping: "Grouped by", score: "Score", order: "Order", class: "Class", anyClass: "any",
  windows: (days: number) => `last ${days} days`, thisFar: (month: string) => `${month}, so far`, months: "Months", thisMonth: "this month", endNow: "Up to now",
  report: "Printable report", export: "Export", exportAll: "All networks, with every score", reportMine: "Report of my constituency",
  networks: (n: number) => counted(n, "network", "networks"),
  sentence: (name: string | null, score: string, period: string, ready: number, known: number, mean: string, trend: string, noData: number) =>
    known === 0
      ? `${name ? `${name}: ` : ""}no network has data on ${score} (${period}).`
      : `${name ? `${name}: ` : ""}${whoIs(ready, known)} ready on ${score}; the mean is ${mean}${trend} (${period}).${noData === 0 ? "" : ` ${noData.toLocaleString("en")} more ${noData === 1 ? "has" : "have"} no data.`}`,
  trendSince: (difference: number, size: string) => (difference === 0 ? ", as in the period before" : `, ${inPoints(size)} ${difference > 0 ? "above" : "below"} the period before`),
  noScores: (profile: string) => `${profile} has raw figures only, no scores: the page of a network has them; choose another profile to see scores.`,
  mean: "Mean", byIpv4: "By IPv4 space", byIpv6: "By IPv6 space", trend: "Trend", trendTitle: "Points above or below the period before", noTrend: "nothing to compare with",
  distribution: "Distribution", size: "Networks", scoresOf: "Scores", choose: "Choose a score to see it on the whole page.",
  map: (score: string) => `Mean of ${score} by country`, mapSmall: (count: number) => `${count} more, too small for this map, are in the table.`,
    mapNote: "A country's mean counts its networks with data alike. Natural Earth's borders; no statement on their status.", mapNothing: "no network known", groups: (n: number, what: string) => `${what}: ${n.toLocaleString("en")}`,
  noGroups: "There is no group of this sort. Sectors and the constituency come from the constituency document.",
  worst: "Lowest", best: "Highest", place: "Place", placeOf: (place: string, of: string) => `${place} of ${of}`, ties: (n: number) => (n === 1 ? "Nobody else has this place" : `${n.toLocaleString("en")} networks share this place`), noPlace: "no place: no data",
  country: "Country", participant: "Takes part in", listed: (n: number, total: number) => (n === total ? counted(n, "network", "networks") : `${n.toLocaleString("en")} of ${counted(total, "network", "networks")}`),
  allOf: "All in this order", placesNote: "The best score has place 1; = means that others share it. Without data there is no place.", tiedBeyond: (n: number, place: string, shown: number) => `${n.toLocaleString("en")} networks share place ${place}; the first ${shown} of them by ASN are shown.`, noneListed: "No network of this group is of this class.",
  sources: "What it was measured from", measured: "measured", input: "Input", file: "From", date: "As of", entries: "Entries", digest: "SHA-256", missing: "What is missing", missingWhy: "What rests on it has no data: that is not zero, and counts in no mean.", nothingMissing: "No input is missing.", undated: "not dated", noDigest: "none: read as it stands",
  history: "History", historyOf: "Scores over the months", historyNote: "A line breaks where there is no data.", noHistory: "One period was measured up to now: a history needs two.", axisFrom: (from: string) => `The axis begins at ${from}.`,
  asSentence: (as: string, period: string, parts: string, lowest: string | null) => `${as}: ${parts} (${period}).${lowest ? ` The lowest is ${lowest}.` : ""}`,
  inClass: (n: number, of: ReadinessClass) => (of === "no_data" ? `${n} without data` : `${n} ${classes[of]}`), scoresCounted: (parts: string, all: number) => `${counted(all, "score", "scores")}, of which ${parts}`, rawOnly: "raw figures only, no scores",
  formula: "Formula", raw: "Raw", state: "State", figuresIn: "Inputs", fresh: "Freshness", stateOf: "State",
  counted: "Incidents counted", from: "From", until: "Until", coefficient: "Coefficient", weight: "Weight", adds: "Adds", events: "Events", moreEvents: (n: number) => `and ${n.toLocaleString("en")} more`,
  dismissed: "Events that do not count", why: "Why", costs: "Routes that cost points", costsShown: (n: number) => `The first ${n} are shown.`, metricsOf: (n: number) => counted(n, "metric", "metrics"), unscored: "Shown, not scored", missingIn: (ids: string) => `no data: ${ids}`,
  dispute: "An incident is wrong? Open it and say so: the scores change at once.",
  advice: "What would raise a score", adviceNone: "Nothing known would raise a score.", gain: (now: string, after: string) => `${now} → ${after}`,
  programmes: "Programmes", programmesNote: "Taking part and conforming are apart from readiness: they are a programme's rules, readiness is what was seen.", takesNoPart: "It takes part in no programme that is known.", since: (date: string) => `since ${date}`, mandatory: "mandatory", optional: "voluntary", conformance: "Conformance", action: "Action",
  rov: "RPKI-invalid routes", rovOf: (dropped: number, n: number) => `${dropped.toLocaleString("en")} of ${counted(n, "route", "routes")} dropped`, rovInterval: (low: string, high: string) => `95 % interval ${low} to ${high}`, rovNone: "Nothing is known of what it does with RPKI-invalid routes.",
  space: "Announces", spaceText: (v4: number, v6: number) => `${counted(v4, "/24", "/24s")} of IPv4, ${counted(v6, "/48", "/48s")} of IPv6`, registry: "Registry", region: "Region", sectors: "Sectors", constituencyOf: "Constituency",
  compare: "Compare", compareWith: "Compare with others", whole: "Readiness in full", ofCountry: "Readiness of the country",
  compareAsk: "Which networks? Put 2 to 10 next to each other.", compareHint: "Type ASNs, with commas or spaces between them: the providers you have to choose from, or a network and its neighbours.",
  compareSentence: (n: number, period: string, where: string | null, points: string) => `${counted(n, "network", "networks")} side by side (${period}): ${where ? `they differ most on ${where}, by ${inPoints(points)}.` : "they do not differ on any score."}`,
  compareNone: "None of these networks was seen.", notSeen: (names: string) => `Not seen in this period: ${names}.`, add: "Add", addAsn: "ASNs to add", removeAsn: (as: string) => `Remove ${as}`, badAsns: (text: string) => `“${text}” are no ASNs.`, tooMany: (n: number) => `No more than ${n} can be compared.`, oneMore: "One more network is needed.",
  isBest: "best", isBestTied: "= best", behind: inPoints, same: "all the same", differs: "differs", network: "Network", incidents: "Incidents that count",
  providers: "Which of these as upstream?", providersNote: "By what is known of each. What is not known counts neither way: look at how much is known before the place.", known: "Known", knownOf: (share: string) => `${share} of the weight is known`, for: "For", against: "Against", unknown: "Not known", noneFor: "nothing", weightOf: (n: number) => `weight ${n}`,
  notMeasured: (what: string) => `Nothing was measured for ${what} yet.`, notMeasuredHint: "Scores are measured from what the service has seen and from the facts that are set up. The first measurement follows within minutes after the table has come in; months before that have none. Choose another period.",
  measuring: "The first measurement is under way.", measuringHint: "It takes from some seconds to some minutes. This page asks again by itself.", noAs: (as: string) => `${as} announced nothing and has no part in an incident in this period.`, noAsHint: "A network that announces nothing has no readiness. Choose another period, or look whether the feeds speak.",
  noGroup: "No network is in this group in this period.", asked: "the period asked for",
  verdict: "Verdict", verdicts: { false_positive: "false positive", confirmed: "confirmed", unclear: "unclear" } as Record<VerdictName, string>,
  verdictNone: "Nobody has judged this incident yet.", verdictBy: (who: string) => `by ${who}`, nobodyNamed: "somebody who was not logged in", note: "Note", noteHint: "why, for those who read it later", judge: "Give this verdict", judgeAgain: "Change the verdict", withdraw: "Withdraw it", judged: "The verdict is recorded; scores were computed anew.", withdrawn: "The verdict is withdrawn; scores were computed anew.",
  verdictEffect: "A false positive counts in no score, from this moment on; withdrawing it counts the incident again.", verdictChoice: "What is it?",
};
