import type { Kind, NodeRole, Relation, Severity, State } from "../api/types";
import { access, settings, userRoles } from "./en-access";
import { help } from "./en-help";
import { readiness } from "./en-readiness";
import { table } from "./en-table";

/** What the sentence of an incident is made of; each part is ready to be read. */
export interface Parts {
  culprit: string;
  victim: string;
  prefix: string;
  covering: string | null;
  /** Ends of a new link, or from, by and to of a leak. */
  a: string | null;
  b: string | null;
  country: string | null;
  count: number;
}

const counted = (n: number, one: string, many: string) =>
  `${n.toLocaleString("en")} ${n === 1 ? one : many}`;

const severities: Record<Severity, string> = {
  critical: "critical", high: "high", medium: "medium", low: "low", info: "info",
};
const states: Record<State, string> = {
  spreading: "spreading", ongoing: "ongoing", mitigated: "mitigated", ended: "ended",
};
const kinds: Record<Kind, string> = {
  origin_hijack: "Possible origin hijack",
  sub_prefix_hijack: "Possible sub-prefix hijack",
  squatting: "Possible squatting",
  less_specific_hijack: "Possible less-specific hijack",
  forged_origin: "Possible forged origin",
  forged_path: "Possible forged path",
  same_path_more_specific: "New more-specific over known path",
  route_leak: "Route leak",
  moas: "Multiple origins",
  rpki_invalid: "RPKI-invalid route",
  roa_change: "ROA change",
  aspa_change: "ASPA change",
  trust_anchor_loss: "Loss of a trust anchor",
  bogon_prefix: "Bogon prefix",
  bogon_asn: "Bogon ASN",
  blackhole_abuse: "Possible blackhole abuse",
  prefix_outage: "Prefix outage",
  as_outage: "AS outage",
  country_outage: "Country outage",
  new_neighbour: "New neighbour",
  unexpected_origination: "Unexpected origination",
  as_set: "AS_SET in a path",
  long_path: "Long path",
  excessive_prepending: "Excessive prepending",
};

const part = (p: Parts) =>
  p.covering ? `part of ${p.victim}'s ${p.covering}` : `part of the space of ${p.victim}`;

const claims: Record<Kind, (p: Parts) => string> = {
  origin_hijack: (p) => `${p.culprit} announces ${p.prefix}, which ${p.victim} originates.`,
  sub_prefix_hijack: (p) => `${p.culprit} announces ${p.prefix}, ${part(p)}.`,
  squatting: (p) => `${p.culprit} announces ${p.prefix}, space of ${p.victim} that nobody announces.`,
  less_specific_hijack: (p) => `${p.culprit} announces ${p.prefix}, a block over what only ${p.victim} originates.`,
  forged_origin: (p) => `Routes to ${p.prefix} end in ${p.victim} over a link between ${p.a ?? p.culprit} and ${p.b ?? p.victim} that does not seem to exist.`,
  forged_path: (p) => `Routes to ${p.prefix} of ${p.victim} pass a link between ${p.a ?? p.culprit} and ${p.b ?? "another AS"} that does not seem to exist.`,
  same_path_more_specific: (p) => `${p.prefix}, ${part(p)}, is new and announced over known links.`,
  route_leak: (p) => `${p.culprit} passes on ${p.prefix}${p.a ? ` from ${p.a}` : ""}${p.b ? ` to ${p.b}` : ""} beyond the intended scope.`,
  moas: (p) => `${p.culprit} announces ${p.prefix} beside ${p.victim}; it may well be meant.`,
  rpki_invalid: (p) => `The route of ${p.culprit} to ${p.prefix} is invalid by RPKI origin validation.`,
  roa_change: (p) => `ROAs for ${p.prefix} of ${p.victim} changed.`,
  aspa_change: (p) => `The ASPA of ${p.victim} changed.`,
  trust_anchor_loss: (p) => `A trust anchor lost ${counted(p.count, "validated payload", "validated payloads")} at once.`,
  bogon_prefix: (p) => `${p.culprit} announces ${p.prefix}, which should not be routed.`,
  bogon_asn: (p) => `Routes to ${p.prefix} by ${p.culprit} have an ASN in their path that should not be routed.`,
  blackhole_abuse: (p) => `${p.culprit} announces host routes to ${p.prefix} in the space of ${p.victim}.`,
  prefix_outage: (p) => `${p.prefix} of ${p.victim} went away at nearly all who had it.`,
  as_outage: (p) => `${p.prefix} of ${p.victim} went away: four fifths of the AS or more.`,
  country_outage: (p) => `${p.prefix}${p.country ? ` of ${p.country}` : ""} went away: half of the country or more.`,
  new_neighbour: (p) => `${p.victim} has a new neighbour: ${p.a ?? p.culprit}${p.b ? ` beside ${p.b}` : ""}.`,
  unexpected_origination: (p) => `${p.culprit} originates ${p.prefix}, which it never did before.`,
  as_set: (p) => `Routes to ${p.prefix} by ${p.culprit} have an AS_SET in their path.`,
  long_path: (p) => `Routes to ${p.prefix} by ${p.culprit} have a path of more than 50 ASNs.`,
  excessive_prepending: (p) => `${p.culprit} stands ten times or more in a row in the path to ${p.prefix}.`,
};

const nodeRoles: Record<NodeRole, string> = {
  culprit: "announces it", victim: "affected", propagator: "passes it on", source: "vantage point", other: "on the path",
};
const relations: Record<Relation, string> = {
  caused_by: "caused by", caused: "caused", coincides: "at the same time as",
  surfaced_by: "could be seen because of", surfaced: "let be seen",
};

export const en = {
  locale: "en",
  name: "English",
  severities, states, kinds, claims, nodeRoles, relations,
  roles: { culprit: "announces", victim: "affected", propagator: "passes on", on_path: "on the path" },
  nav: {
    skip: "To the content", main: "Pages", overview: "Now", incidents: "Incidents", table: "Looking glass", readiness: "Readiness", feeds: "Feeds and facts", settings: "Settings",
    short: { overview: "Now", incidents: "Incidents", table: "Table", readiness: "Ready", feeds: "Feeds", settings: "Settings" },
    account: "Your account", userRoles, help: "Help: keys and words",
    theme: "Colours", themes: { auto: "as the system", light: "light", dark: "dark" }, language: "Language",
    search: "Search an AS, prefix, address, country or incident", searchHint: "AS, prefix, address, country, incident  /",
    searchNone: (text: string) => `“${text}” is no ASN, prefix, address, two-letter country or incident id.`,
    go: "Go", fold: "Fold the rail", unfold: "Unfold the rail",
    live: { connecting: "connecting…", open: "live", lost: "not live: what you see may be old" },
  },
  access, settings, table, readiness, help,
  units: {
    and: (parts: string[], more: number) =>
      more > 0 ? `${parts.join(", ")} and ${counted(more, "other", "others")}`
      : parts.length < 2 ? parts.join("") : `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`,
    prefixes: (n: number) => counted(n, "prefix", "prefixes"),
    incidents: (n: number) => counted(n, "incident", "incidents"),
    ago: (text: string) => `${text} ago`,
    day: "d", hour: "h", minute: "min", second: "s",
    unknownAs: "an unknown AS", noPrefix: "a prefix",
  },
  common: {
    loading: "Loading…", again: "Try again", none: "none", unknown: "unknown", noData: "no data", yes: "yes", no: "no",
    asTable: "As table", asChart: "As chart", savePng: "PNG", saveSvg: "SVG", saveCsv: "CSV", noPicture: "This browser could not make the picture; the SVG and the table have the same.", copied: "Copied", copy: "Copy", more: "Next page", first: "First page",
    time: "Time", all: "all", atLeast: (n: number, max: number) => (n >= max ? `${n.toLocaleString("en")} or more` : n.toLocaleString("en")),
  },
  problem: {
    title: "This could not be loaded.",
    kept: "What was shown before is kept; nothing that was recorded is lost.",
    network: "The server did not answer. Is Routewarden running, and is this browser allowed to reach it?",
    busy: "The server has too much to read just now. Try again in some seconds.",
    starting: "The service has just started and cannot tell yet. Try again in some seconds.",
    not_found: "There is nothing at this address.",
    refused: (detail: string) => `The server refused the question: ${detail}`,
    other: (detail: string, code: string) => `${detail} (${code})`,
    missing: "There is no page at this address.", home: "To the overview",
  },
  views: {
    title: "Views", all: "All", open: "Open", keep: "Keep this view…", name: "Name of the view", save: "Keep", cancel: "Cancel",
    remove: (name: string) => `Forget “${name}”`,
  },
  scope: { label: "Constituency", world: "everyone", mine: "all members", ofMine: "For your constituency: ", of: (name: string) => `For ${name}: ` },
  marks: {
    sentence: (n: number) => `${counted(n, "incident is", "incidents are")} marked.`, mark: (id: string) => `Mark ${id}`, all: "Mark all of this page",
    csv: "CSV", jsonl: "JSON Lines", text: "Copy as text", clear: "Take marks away", reading: (done: number, all: number) => `Reading ${done} of ${all}…`,
    full: (n: number) => `No more than ${n} can be marked.`,
  },
  filters: {
    title: "Filters", kind: "Kind", class: "Severity", state: "State", asn: "AS", role: "as", prefix: "Prefix", match: "match",
    matches: { covered: "it and more specifics", covering: "it and what covers it", exact: "exactly it" },
    country: "Country", from: "First seen from", before: "before", any: "any", open: "Open only", sort: "Order",
    orders: { newest: "newest first", oldest: "oldest first", severity: "gravest first", confidence: "surest first" }, clear: "Clear", apply: "Apply",
    active: (n: number) => (n === 1 ? "1 filter" : `${n} filters`),
  },
  list: {
    title: "Incidents",
    sentence: (shown: number, more: boolean, open: number, filtered: boolean) =>
      shown === 0
        ? filtered ? "No incident matches these filters." : "No incident has been recorded yet."
        : `${more ? "The first " : ""}${counted(shown, "incident", "incidents")}${filtered ? " that match" + (shown === 1 && !more ? "es" : "") : ""}; ${open === 0 ? "none of them is open" : `${counted(open, "is", "are")} open`}.`,
    empty: "Incidents appear here within seconds after detection finds one. Check on the feeds page that sources speak.",
    emptyFiltered: "Take a filter away, or widen the time.",
    severity: "Severity", kind: "Kind", by: "Announced by", affected: "Affected", prefix: "Prefix", first: "First seen",
    lasted: "Lasted", seen: "Seen by", confidence: "Conf.", confidenceLong: "Confidence", state: "State",
    rowsHint: "j and k move between rows, Enter opens, x marks.",
    seenTitle: (seen: number, of: number) => `${seen} of ${of} vantage points`,
    more: (n: number) => `+${n.toLocaleString("en")}`,
    updated: "The list was brought up to date.",
  },
  incident: {
    confidence: (n: number) => `confidence ${n}`, severity: (n: number, word: string) => `severity ${n} ${word}`,
    lasted: (d: string) => `It lasted ${d}`, lasts: (d: string) => `It has lasted ${d} so far`,
    peak: (n: number, of: number) => `at its peak ${n} of ${of} vantage points had it`,
    now: (n: number, of: number) => `${n} of ${of} vantage points have it now`,
    peakLost: (n: number, of: number) => `at its peak ${n} of ${of} vantage points had lost it`,
    nowLost: (n: number, of: number) => `${n} of ${of} vantage points are without it now`,
    recurred: (n: number) => `It came back ${n === 1 ? "once" : `${n} times`}.`,
    touches: (names: string) => `It touches ${names} of your constituency.`,
    unseen: "It was ended because the detector spoke of it no more; no vantage point was seen to lose it.",
    standing: "It stood in the table already when watching began; it may be older.",
    degraded: (lost: number, of: number) => `${lost} of ${of} sessions were down at some time of it: what they would have shown is not known.`,
    impaired: "Feeds that could not tell all in this time",
    why: "Why", whySum: (n: number) => `The weights add up to the confidence of ${n} (kept between 1 and 99).`,
    for: "For", against: "Against", noAgainst: "Nothing was found against it.", rule: "Rule", weight: "Weight", reason: "Reason", values: "Values",
    who: "Who saw it", visibility: "Vantage points that had it, over time", had: "had it", of: "could have had it",
    tabs: "More of this incident",
    tied: "Tied by cause or time", tie: "This one is", sameAs: (as: string) => `Other incidents by ${as}`, samePrefix: (p: string) => `Other incidents of ${p} and its more specifics`,
    noneOther: "No other.", aspaStates: { valid: "valid", invalid: "invalid", unknown: "unknown" },
    updates: "Raw updates", update: "Type", updateTypes: { A: "announced", W: "withdrawn", down: "session lost", up: "session back" }, communities: "Communities",
    updatesShown: (n: number, more: boolean) => `${more ? "the first " : ""}${counted(n, "update", "updates")}`,
    noUpdates: "No update was kept of this incident.", moreUpdates: "More updates",
    shares: "Vantage points, by where their traffic goes", toCulprit: (who: string) => `${who}, announces it`, overCulprit: (who: string) => `over the leak of ${who}`, toVictim: (who: string) => `${who}, affected`, elsewhere: "elsewhere or nowhere",
    several: (n: number) => `${n.toLocaleString("en")} ASes`, everSeen: (n: number, of: number) => `${n} of ${of} vantage points had it at some time.`,
    timeline: "Timeline", vantage: "Vantage points", prefixes: "Prefixes", related: "Related", raw: "Raw data", facts: "Facts",
    covering: "Covered by", moreSpecific: "More specific", answer: (who: string, prefix: string) => `${who} announces ${prefix}`,
    untilTime: "Until", pointsNote: "Vantage points whose routes led to or through who announces it, the first first.",
    firstSeen: "First seen", lastSeen: "Last announcement", ended: "Ended", exposure: "Seen for", artemis: "ARTEMIS class", rov: "ROV", aspa: "ASPA", rfc7908: "RFC 7908 type",
    rovStates: { valid: "valid", invalid: "invalid", not_found: "not found" }, rovReasons: { asn: "by the ASN", max_length: "by the length" },
    propagators: "Passed on by", countries: "Countries", constituency: "Constituency", reported: "Reported", recorded: "Recorded", versions: "Version", ids: "Also known as",
    changes: { opened: "Opened", updated: "Changed", ended: "Ended", reopened: "Opened again", report_sent: "Reported" },
    changeTo: (state: string, confidence: number, severity: number, prefixes: string) => `${state}, confidence ${confidence}, severity ${severity}, ${prefixes}`,
    again: (n: number, until: string) => `${counted(n, "time", "times")} more the same, until ${until}`,
    seenAt: "First announcement seen", countermeasure: "Answer of the affected",
    noRelated: "No other incident is tied to this one.", noSamples: "No path was kept.",
    samplesNote: "At most eight paths are kept, the earliest of each vantage point AS.",
    listed: (n: number, of: number) => `${n.toLocaleString("en")} of ${of.toLocaleString("en")} are listed.`,
    listedFirst: (n: number) => `The first ${n.toLocaleString("en")} rows of its history.`,
    collector: "Collector", peer: "Peer", path: "AS path", role: "Role",
    export: "Export", json: "Incident, JSON", replayJson: "Replay, BGPlay JSON", historyJson: "History, JSON", copyText: "Copy as text", print: "Print report",
    mayShare: "Marking for print", noRaw: "The updates themselves are not stored; the sample paths above are what was kept of them.",
    whole: "The whole incident as the detector gave it",
  },
  basis: {
    no_trail: "Its route changes were not kept: what is shown is made of sample paths.",
    removed: "Its route changes were taken out to make room: what is shown is made of sample paths.",
    too_many_events: "What came after the first 100,000 changes is missing.",
    too_many_prefixes: "Not all of its space was watched: of a large block itself, of many prefixes the first.",
    too_many_routes: "Of the routes that stood before, not all are known.",
    events_lost: "Changes that came while the store failed are missing.",
    restarted: "The program began anew in between, without its state.",
    standing: "It stood when the program began to watch: the time before is missing.",
    opened_late: "It was told of late: its beginning, or that of a prefix, is missing.",
    paused: "The time between its end and its return is missing.",
    gap: "A feed was not heard for a time: its changes then are missing.",
    too_long: "There is more than can be drawn; the raw updates have all.",
    other: "Not every change is known.",
  } as Record<string, string>,
  replay: {
    title: "Replay", play: "Play", pause: "Pause", back: "One event back", forward: "One event on", speed: "Speed", time: "Time of the replay",
    perSecond: (n: number) => `${n}×`, start: "Start", end: "End", events: (n: number) => counted(n, "event", "events"),
    frame: (seen: number) => `${counted(seen, "sampled path leads", "sampled paths lead")} to it`,
    announced: (peer: string, prefix: string, path: string) => `${peer} has a route to ${prefix}: ${path}`,
    withdrawn: (peer: string, prefix: string) => `${peer} lost its route to ${prefix}`,
    inferred: "inferred from the end of the incident, not seen",
    before: "Before the first event.", none: "No paths were kept for this incident, so there is nothing to replay.",
    incomplete: (n: number) => `Made of ${counted(n, "sample path", "sample paths")}, not of all updates: other routes are not drawn.`,
    folded: (n: number) => `${n} vantage points`, left: "Vantage points", right: "Origins", graph: "AS paths at this time",
    silent: (n: number) => `${counted(n, "vantage point is", "vantage points are")} not heard at this time; its last routes are drawn.`,
    allFrame: (n: number) => `${counted(n, "route", "routes")} at this time`,
    complete: (events: number, points: number) => `${counted(events, "route change", "route changes")} of ${counted(points, "vantage point", "vantage points")}.`,
    tallies: "Routes at this time, by prefix", morePrefixes: (n: number) => `and ${counted(n, "more prefix", "more prefixes")}`, alsoThen: (n: number) => `and ${counted(n, "more change", "more changes")} in this second`,
    leaker: "leaks it", overLeak: "leads over the leak",
    witnesses: (n: number, of: number) => `Drawn are the ${n} of ${of} sessions that had it at some time.`,
    leadsTo: "Leads", sides: { culprit: "leads to or through who announces it", victim: "leads to the affected", other: "leads elsewhere" }, hidden: (n: number) => `${counted(n, "more AS is", "more ASes are")} not drawn.`, table: "Paths at this time", permalink: "Link to this moment",
    keys: "Arrow keys step event by event, Space plays.", noPaths: "No route at this time.",
  },
  overview: {
    title: "Situation",
    sentence: (open: number, touching: number, spreading: number) =>
      open === 0 ? "No incident is open."
      : open === 1 ? `One incident is open${touching > 0 ? " and touches your constituency" : ""}; it is ${spreading > 0 ? "" : "not "}spreading.`
      : `${counted(open, "open incident", "open incidents")}${touching === 0 ? "" : touching === open ? `, ${open === 2 ? "both" : "all"} touching your constituency` : `, ${touching} of which ${touching === 1 ? "touches" : "touch"} your constituency`}${spreading === 0 ? "; none is spreading" : spreading === 1 ? "; one is spreading" : `; ${spreading} are spreading`}.`,
    blind: (names: string, count: number) => `${names} ${count === 1 ? "does" : "do"} not tell all: what ${count === 1 ? "it" : "they"} would show is not known.`,
    allFeeds: (n: number) => (n === 1 ? "The one feed speaks." : `All ${n.toLocaleString("en")} feeds speak.`), unknownFeeds: (n: number, all: number) => `${n === all ? (all === 1 ? "The one feed was" : `All ${all} feeds were`) : `Of ${all} feeds ${n} ${n === 1 ? "was" : "were"}`} not heard long enough to judge.`,
    noFeeds: "No feed is set up, so nothing can be seen.",
    open: "Open incidents", openMore: (n: number) => (n === 0 ? "All incidents" : n === 1 ? "The open one" : `All ${n.toLocaleString("en")} open`), noneOpen: "Nothing was recorded yet. Incidents appear here within seconds after detection finds one.",
    latest: "The latest incidents; none is open", lately: "Ended lately",
    trend: "Incidents per hour, by kind", trendNote: "Shaded: a feed had a gap; what it would have shown is not known.", hours: "last 48 hours",
    health: "Feed health", healthOk: (ok: number, all: number) => `${ok} of ${all} feeds ok`,
    since: "Since your last visit", sinceNew: (n: number, more: boolean) => `${more ? "More than " : ""}${counted(n, "new incident", "new incidents")}`, sinceFirst: "This is your first visit in this browser.",
    map: "Open incidents by country", mapLatest: "The latest incidents by country", mapNote: "Circles grow with the number of prefixes. Natural Earth's borders; no statement on their status.",
    mapNone: "No incident here has a country.", notDrawn: (names: string) => `Not on this map: ${names}.`, country: "Country", count: "Incidents", prefixes: "Prefixes",
    families: { hijack: "hijacks", leak: "leaks", outage: "outages", rpki: "RPKI", hygiene: "hygiene" },
    gravest: (n: number) => `Counted and drawn are the ${n} gravest.`,
  },
  feeds: {
    title: "Feeds and facts",
    sentence: (ok: number, all: number, gaps: number) =>
      all === 0 ? "No feed is set up." : `${ok === all ? (all === 1 ? "The one feed" : `All ${all} feeds`) : `${ok} of ${counted(all, "feed", "feeds")}`} ${ok === 1 ? "is" : "are"} ok; ${gaps === 0 ? "no gap in the last seven days" : `${counted(gaps, "gap", "gaps")} in the last seven days`}.`,
    stale: (n: number) => (n === 0 ? "All facts are fresh." : `${counted(n, "kind of facts is", "kinds of facts are")} stale.`),
    sources: "Sources", feeds: "Collectors and peers", gaps: "Gaps", facts: "Facts in use", versions: "Facts applied", recorded: "Recorded states",
    name: "Name", kind: "Kind", state: "State", reason: "Reason", since: "Since", from: "From", to: "To", lasted: "Lasted", filled: "Filled later", still: "still",
    entries: "Entries", confirmed: "Confirmed", stale_: "Stale", failures: "Failures", last: "Last failure", version: "Version", applied: "Applied", source: "Source",
    noSources: "No source is set up. Name one in the configuration and reload the service.", noFeeds: "No feed has spoken yet.", noGaps: "No gap is recorded.", noFacts: "No facts are set up; detection rests on the table alone.", noFactsKept: "No facts are kept up to date; those that were applied stand below.", noVersions: "No version has been applied yet.",
    states: { unknown: "unknown", ok: "ok", degraded: "degraded", down: "down", up: "up", gap: "gap" } as Record<string, string>,
    reasons: { learning: "not heard long enough to judge", never_heard: "never heard", speaks: "speaks", silent: "silent for longer than usual", lagging: "lags behind", peers_lost: "lost half of its peers", session_down: "session is down", source_down: "source is down" } as Record<string, string>,
  },
  parties: {
    asSentence: (as: string, open: number, culprit: string, victim: string) =>
      `${as}: ${open === 0 ? "no open incident" : counted(open, "open incident", "open incidents")}${culprit ? `; it announced in ${culprit}` : ""}${victim ? `${culprit ? "," : "; it"} was affected in ${victim}` : ""}.`,
    prefixSentence: (p: string, exact: number, covering: number, covered: number) =>
      `${p}: ${counted(exact, "incident", "incidents")} of exactly this prefix, ${covering} of what covers it, ${covered} of its more specifics.`,
    countrySentence: (c: string, open: number, all: string) => `${c}: ${open === 0 ? "no open incident" : counted(open, "open incident", "open incidents")}, ${all} in all.`,
    counts: "Counts", open: "open", asCulprit: "announced", asVictim: "affected", asPropagator: "passed on",
    exact: "Exactly this prefix", covering: "What covers it", covered: "More specifics", all: "All in the list", none: "No incident touches it.",
    listTitle: "Incidents",
  },
};

export type Words = typeof en;
