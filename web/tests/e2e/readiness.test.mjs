// How ready networks are, seen after the incident of 24 February 2008: the world, a network, a verdict, files.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { downloaded, firstUser, launch, NAME, play, theHijack, until, windowOf } from "./service.mjs";

const GROUPS = "/readiness/groups";
/** Of the metrics without input, why they have no data. */
const WITHOUT = {
  "M3-administrative": "no delegated files of the registries given", M5: "no sessions of CAIDA Spoofer given", M7IRR: "no route objects given",
  M7RPKI: "no VRPs given", M7RPKIN: "no VRPs given", M8: "no contacts given",
};
const NOTE = "agreed with the holder, a test";

let service, browser, view, page, hijack, ask;
before(async () => {
  service = await play("max");
  const answer = await firstUser(service);
  ask = (path) => answer(`/api/v1${path}`);
  browser = await launch();
  view = await windowOf(browser, service.base);
  page = view.page;
});
after(async () => {
  await view?.close();
  await browser?.close();
  await service?.stop();
});

const go = (path) => page.goto(service.base + path);
const heading = (name, on = page) => on.getByRole("heading", { level: 1, name });
const region = (name, on = page) => on.getByRole("region", { name });
const metric = (id, on = page) => on.locator("details").filter({ has: on.getByText(id, { exact: true }) });
/** What stands in the line of a metric, without its id and title. */
const valuesOf = async (id, on = page) => words(await metric(id, on).locator("summary .values").innerText());
const metricOf = async (asn, id) => (await ask(`/readiness/ases/${asn}`)).metrics.find((one) => one.id === id);
const cellsOf = async (row) => (await row.locator("th, td").allInnerTexts()).map(words);
const words = (text) => text.replace(/\s+/g, " ").trim();

test("the page waits for the first survey by itself, and asks all of its questions again", async () => {
  const answers = new Map();
  page.on("response", (response) => {
    const { pathname } = new URL(response.url());
    if (pathname.startsWith("/api/v1/readiness/")) answers.set(pathname, response.status());
  });
  await view.logIn("/readiness");
  await page.evaluate(() => (globalThis.sameDocument = true));
  await heading(/ready on Filtering \(A1\); the mean is [\d.]+ % \(February 2008, so far\)\.$/).waitFor();
  // Whether there is a constituency, and so a report of it, was asked before the survey, too.
  await until("an answer to each", () => ["world", "country", "constituency"].every((by) => answers.get(`/api/v1${GROUPS}/${by}`) === 200));
  assert.equal(await page.evaluate(() => globalThis.sameDocument), true);
});

test("after the hijack the world is told with how its networks are spread", async () => {
  hijack = await theHijack((path) => ask(path.replace("/api/v1", "")));
  // Surveyed again after the end: from here on no figure changes by itself.
  const { groups: [group] } = await until("a survey after the hijack", async () => {
    const found = await ask(`${GROUPS}/world`);
    return found.measured_at >= "2008-02-24T21:15" ? found : null;
  });
  const { mean, classes } = group.scores.find((one) => one.id === "A1");
  assert.ok(classes.ready >= 1 && classes.lagging >= 1, JSON.stringify(classes));
  await go("/readiness");
  const known = classes.ready + classes.aspiring + classes.lagging;
  const share = (Math.floor(mean * 1000) / 10).toString();
  await heading(`${classes.ready} of ${known} networks with data are ready on Filtering (A1); the mean is ${share} % (February 2008, so far).`).waitFor();
  const scores = region(/^Scores/);
  const row = scores.getByRole("row", { name: /^Filtering \(A1\)/ });
  const counts = [classes.ready, classes.aspiring, classes.lagging, classes.no_data].map(String);
  assert.deepEqual((await cellsOf(row)).slice(4, 8), counts);
  await row.getByRole("img", { name: `ready ${classes.ready}, lagging ${classes.lagging}` }).waitFor();
  // Nobody tested: all are without data, and there is no mean, not one of 0.
  const untested = scores.getByRole("row", { name: /^Anti-spoofing \(A2\)/ });
  assert.match((await cellsOf(untested)).join("|"), new RegExp(`\\|no data\\|.*\\|0\\|0\\|0\\|${group.ases}\\|`));
  await untested.getByRole("img", { name: `no data ${group.ases}` }).waitFor();
});

test("what is missing is told, and what was measured from", async () => {
  const sources = region("What it was measured from");
  const text = words(await sources.innerText());
  for (const missing of Object.values(WITHOUT)) assert.ok(text.includes(missing), `${missing}: ${text}`);
  assert.match(text, /announced routes table: seen by 5 peer ASes 2008-02-24/);
});

test("the map and the table beside it have the countries", async () => {
  const map = region("Mean of Filtering (A1) by country");
  await map.getByRole("img", { name: "Mean of Filtering (A1) by country" }).waitFor();
  const country = (code) => map.locator(`path[data-code="${code}"]`);
  const told = async (code) => words(await country(code).locator("title").textContent());
  assert.equal(await told("PK"), "Pakistan: 48.5 %, 1 network");
  assert.equal(await told("US"), "United States: 100 %, 1 network");
  assert.equal(await told("FR"), "France: no network known");
  const fill = (code) => country(code).evaluate((path) => getComputedStyle(path).fill);
  assert.equal(new Set([await fill("PK"), await fill("US"), await fill("FR")]).size, 3, "three shades for three states");
  const table = region("Countries: 2");
  assert.deepEqual((await cellsOf(table.getByRole("row", { name: "Pakistan" }))).slice(0, 2), ["Pakistan", "48.5 % lagging"]);
  await country("PK").click();
  await page.waitForURL("**/readiness/country/PK?score=A1");
  await heading(/^Pakistan: /).waitFor();
  await page.goBack();
});

test("networks are grouped by region, too, and the address has it", async () => {
  await page.getByLabel("Grouped by").selectOption("region");
  await page.waitForURL((url) => url.searchParams.get("by") === "region");
  await region("Regions: 2").getByRole("link", { name: "Southern Asia" }).waitFor();
  await page.getByLabel("Grouped by").selectOption("sector");
  await page.getByText("There is no group of this sort. Sectors and the constituency come from the constituency document.").waitFor();
});

test("the list of networks has the lowest first, and all of them", async () => {
  const { ases, total } = await ask("/readiness/ases?score=A1&order=worst");
  assert.equal(ases.length, total);
  const lowest = region("Lowest: A1");
  const pakistan = lowest.getByRole("row", { name: "AS17557" });
  const place = ases.find((one) => one.asn === 17557).rank;
  const [at, who, score, country] = await cellsOf(pakistan);
  assert.match(at, new RegExp(`^${place.ties > 1 ? "=" : ""}${place.place}\\b`));
  assert.deepEqual([words(who), score, country], ["AS17557Pakistan Telecommunication Company", "48.5 % lagging", "PK"]);
  await lowest.getByRole("link", { name: /^All in this order/ }).click();
  await page.waitForURL((url) => url.pathname === "/readiness/world/world" && url.searchParams.get("order") === "worst");
  const rows = region(/^Networks/).locator("tbody th a");
  await rows.first().waitFor();
  assert.deepEqual(await rows.allInnerTexts(), ases.map((one) => `AS${one.asn}`));
  await page.getByLabel("Class").selectOption("lagging");
  await page.waitForURL(/class=lagging/);
  const lagging = ases.filter((one) => one.scores[0].class === "lagging").map((one) => `AS${one.asn}`);
  await until("the lagging only", async () => (await rows.count()) === lagging.length);
  assert.deepEqual(await rows.allInnerTexts(), lagging);
});

for (const [path, name] of [
  ["/readiness", /^\d+ of \d+ networks with data/],
  ["/readiness/as/17557", /^AS17557 Pakistan Telecommunication Company: /],
  ["/readiness/country/PK", /^Pakistan: /],
  ["/readiness/region/southern-asia", /^Southern Asia: /],
  ["/readiness/world/world", /networks with data/],
  ["/readiness/compare?asns=17557,36561", /^2 networks side by side/],
]) {
  test(`${path} can be opened and reloaded`, async () => {
    // A `dist` before the service knows every page: it is the service that must know this one.
    const answer = await fetch(service.own + path);
    assert.equal(answer.status, 200);
    assert.match(answer.headers.get("content-type"), /^text\/html/);
    await go(path);
    await heading(name).waitFor();
    assert.equal((await page.reload()).status(), 200);
    await heading(name).waitFor();
  });
}

test("M2 of AS17557 is 1, by one incident, with formula and inputs", async () => {
  await go("/readiness/as/17557");
  await heading(/^AS17557 .* The lowest is Filtering \(A1\), 48\.5 %\.$/).waitFor();
  assert.equal(await valuesOf("M2"), "Raw 1 48.5 % scored");
  const m2 = metric("M2");
  assert.equal(await m2.getAttribute("open"), "", "what costs points stands open");
  const told = words(await m2.innerText());
  const { formula } = await metricOf(17557, "M2");
  assert.match(formula, /misoriginations of which the AS is the culprit; .*0\.6 \^ sqrt\(raw \/ 0\.5\)$/);
  assert.ok(told.includes(`Formula ${formula}`), told);
  assert.ok(told.includes("Inputs do not count: 0, too doubtful to count: 0, events: 1, incidents counted: 1"), told);
  assert.match(told, /Freshness incidents/);
  const minute = (time) => `${time.slice(0, 10)} ${time.slice(11, 16)}Z`;
  const row = m2.getByRole("table", { name: "Incidents counted" }).locator("tbody tr");
  assert.deepEqual(await cellsOf(row), [minute(hijack.first_seen), minute(hijack.ended_at), "1", "100 %", "1", hijack.id]);
});

test("a metric without input has no data and says why; none is zero", async () => {
  for (const [id, why] of Object.entries(WITHOUT)) assert.equal(await valuesOf(id), `${why} no data`);
  const { metrics } = await ask("/readiness/ases/17557");
  const without = metrics.filter((one) => one.state === "no_data");
  assert.ok(without.length >= Object.keys(WITHOUT).length);
  for (const { id, no_data_text } of without) assert.equal(await valuesOf(id), `${no_data_text} no data`, id);
  const action = region("Scores").getByRole("row", { name: /^Anti-spoofing \(A2\)/ });
  assert.deepEqual(await cellsOf(action), ["Anti-spoofing (A2)", "no data", "", "no data", "–", "no data: M5"]);
});

test("a false positive does not count from that moment, and is named with the reason", async () => {
  const open = async (path) => {
    const other = await page.context().newPage();
    await other.goto(service.base + path);
    await other.evaluate(() => (globalThis.sameDocument = true));
    return other;
  };
  const network = await open("/readiness/as/17557");
  await metric("M2", network).waitFor();
  const country = await open("/readiness/country/PK");
  await heading(/^Pakistan: the one network with data is not ready/, country).waitFor();
  const compared = await open("/readiness/compare?asns=17557,36561");
  await heading(/they differ most on Filtering \(A1\), by 51\.5 points\.$/, compared).waitFor();
  assert.equal((await metricOf(3491, "M2C")).raw, 1);
  await metric("M2").getByRole("link", { name: hijack.id }).click();
  const verdict = region("Verdict");
  await verdict.getByText("Nobody has judged this incident yet.").waitFor();
  await verdict.getByRole("radio", { name: "false positive" }).check();
  await verdict.getByLabel(/^Note/).fill(NOTE);
  await verdict.getByRole("button", { name: "Give this verdict" }).click();
  await verdict.getByText("The verdict is recorded; scores were computed anew.").waitFor();
  await verdict.getByText(NOTE).waitFor();
  assert.match(words(await verdict.innerText()), new RegExp(`false positive, by ${NAME}, 2008-02-24`));

  // The pages that stood open follow.
  await until("M2 of 0", async () => (await valuesOf("M2", network)) === "Raw 0 100 % scored");
  await heading(/^Pakistan: the one network with data is ready on Filtering \(A1\); the mean is 100 %/, country).waitFor();
  await until("the network in the list", async () => /100 % ready/.test(words(await region(/^Networks/, country).innerText())));
  await heading(/they do not differ on any score\.$/, compared).waitFor();
  for (const other of [network, country, compared]) {
    assert.equal(await other.evaluate(() => globalThis.sameDocument), true);
    await other.close();
  }
  assert.equal((await metricOf(17557, "M2")).raw, 0);
  // Who passed it on is rid of it as well.
  assert.equal((await metricOf(3491, "M2C")).raw, 0);

  await go("/readiness/as/17557");
  await heading(/^AS17557 [^.]*1 ready, 4 without data/).waitFor();
  assert.equal(await valuesOf("M2"), "Raw 0 100 % scored");
  const m2 = metric("M2");
  await m2.locator("summary").click();
  const told = words(await m2.innerText());
  assert.ok(told.includes("Inputs do not count: 1, too doubtful to count: 0, events: 0, incidents counted: 0"), told);
  const { dismissed } = await metricOf(17557, "M2");
  assert.deepEqual(dismissed.map((one) => one.event), [hijack.id]);
  assert.ok(dismissed[0].why.startsWith(`found to be a false positive by ${NAME}`) && dismissed[0].why.endsWith(NOTE), dismissed[0].why);
  assert.ok(told.includes(`Events that do not count ${hijack.id} ${dismissed[0].why}`), told);
});

test("a verdict that is withdrawn counts the incident again", async () => {
  await metric("M2").getByRole("link", { name: hijack.id }).click();
  const verdict = region("Verdict");
  assert.equal(await verdict.getByRole("radio", { name: "false positive" }).isChecked(), true);
  await verdict.getByRole("button", { name: "Withdraw it" }).click();
  await verdict.getByText("The verdict is withdrawn; scores were computed anew.").waitFor();
  await verdict.getByText("Nobody has judged this incident yet.").waitFor();
  assert.equal(await verdict.getByRole("radio", { checked: true }).count(), 0);
  await go("/readiness/as/17557");
  await metric("M2").waitFor();
  assert.equal(await valuesOf("M2"), "Raw 1 48.5 % scored");
  assert.equal(await metric("M2").getByText("Events that do not count").count(), 0);
  assert.equal((await metricOf(3491, "M2C")).raw, 1);
});

test("the page of a country has its readiness, and leads to all of it", async () => {
  await go("/country/PK");
  const strip = region(/^Readiness/);
  await strip.getByText("the one network with data is not ready on Filtering (A1); the mean is 48.5 % (February 2008, so far).").waitFor();
  await strip.getByRole("link", { name: "Readiness of the country" }).click();
  await page.waitForURL("**/readiness/country/PK");
  const networks = region(/^Networks/);
  await networks.getByRole("link", { name: "AS17557" }).waitFor();
  assert.equal(await networks.locator("tbody tr").count(), 1);
  await page.getByLabel("Class").selectOption("ready");
  await networks.getByText("No network of this group is of this class.").waitFor();
});

test("two networks are put side by side", async () => {
  await go("/readiness");
  await page.getByRole("link", { name: "Compare", exact: true }).click();
  const asns = page.getByLabel("ASNs to add");
  await asns.fill("nobody");
  await page.getByRole("button", { name: "Add" }).click();
  await page.getByRole("alert").getByText("“nobody” are no ASNs.").waitFor();
  await asns.fill("AS17557, 36561");
  await page.getByRole("button", { name: "Add" }).click();
  await page.waitForURL((url) => url.searchParams.get("asns") === "17557,36561");
  await heading("2 networks side by side (February 2008, so far): they differ most on Filtering (A1), by 51.5 points.").waitFor();
  const scores = region("Scores");
  assert.deepEqual(await cellsOf(scores.getByRole("row", { name: /^Filtering/ })), ["Filtering (A1)", "48.5 % lagging −51.5 points", "100 % ready best"]);
  assert.deepEqual(await cellsOf(scores.getByRole("row", { name: /^Incidents that count/ })), ["Incidents that count (differs)", "1", "0"]);
  assert.deepEqual(await cellsOf(scores.getByRole("row", { name: /^Coordination/ })), ["Coordination (A3)", "no data", "no data"]);
});

test("of what is known too little of no upstream is advised", async () => {
  const { advice, candidates } = await ask("/readiness/providers?asns=17557,36561");
  assert.ok(candidates.every((one) => one.place === null && one.known < 0.5));
  const choice = region("Which of these as upstream?");
  await choice.getByText(advice).waitFor();
  assert.equal(await choice.getByText("35 % of the weight is known").count(), 2);
});

test("a network that was not seen is named, and one can be taken away", async () => {
  await page.getByLabel("ASNs to add").fill("64511");
  await page.getByRole("button", { name: "Add" }).click();
  await page.getByText("Not seen in this period: AS64511.").waitFor();
  await page.getByRole("button", { name: "Remove AS36561" }).click();
  await page.waitForURL((url) => url.searchParams.get("asns") === "17557,64511");
});

test("networks are exported as CSV: one, a country, all", async () => {
  const { total } = await ask("/readiness/ases");
  const files = [
    ["/readiness/as/17557", "readiness-as-17557.csv", 1],
    ["/readiness/country/PK", "readiness-country-PK.csv", 1],
    ["/readiness", "readiness.csv", total],
  ];
  for (const [path, name, rows] of files) {
    await go(path);
    const file = await downloaded(page, () => page.getByRole("group", { name: "Export" }).getByRole("link", { name: "CSV" }).click());
    assert.equal(file.name, name);
    const [head, ...lines] = file.bytes.toString().trim().split(/\r?\n/).map((line) => line.split(","));
    assert.deepEqual(head.slice(0, 8), ["asn", "name", "country", "profile", "from", "until", "A1", "A1 class"]);
    assert.equal(lines.length, rows);
    const pakistan = Object.fromEntries(lines.find(([asn]) => asn === "17557").map((value, at) => [head[at], value]));
    assert.deepEqual([pakistan.country, pakistan["A1 class"], pakistan["M2 raw"], pakistan["M5 raw"], pakistan["M5 state"]], ["PK", "lagging", "1", "", "no_data"]);
  }
});

test("the printable report opens, of a network and of a country", async () => {
  for (const [path, title, named] of [["/readiness/as/17557", /AS17557/, hijack.id], ["/readiness/country/PK", /Pakistan/, "AS17557"]]) {
    await go(path);
    await page.getByRole("link", { name: "Printable report" }).click();
    await page.waitForURL("**/api/v1/readiness/report?**");
    await heading(title).waitFor();
    const text = words(await page.locator("body").innerText());
    assert.match(text, /Framework manrs-2024\./);
    assert.match(text, /Not measured: .*no VRPs given/);
    assert.ok(text.includes(named), text);
    // Its own policy lets its style in.
    assert.equal(await page.locator("table").first().evaluate((table) => getComputedStyle(table).borderCollapse), "collapse");
    await page.goBack();
  }
});
