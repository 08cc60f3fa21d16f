// The way of an analyst through the incident of 24 February 2008: the list, why, the replay, exports.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { downloaded, firstUser, launch, play, theHijack, windowOf } from "./service.mjs";

let service, browser, view, page, hijack;
before(async () => {
  service = await play("max");
  const ask = await firstUser(service);
  hijack = await theHijack(ask);
  browser = await launch();
  view = await windowOf(browser, service.base);
  page = view.page;
  await view.logIn();
});
after(async () => {
  await view?.close();
  await browser?.close();
  await service?.stop();
});

test("the list is filtered, and the address has the filter", async () => {
  await page.getByRole("link", { name: "Incidents" }).first().click();
  await page.getByLabel("Kind").selectOption("sub_prefix_hijack");
  await page.getByLabel("AS", { exact: true }).fill("AS17557");
  await page.keyboard.press("Enter");
  await page.waitForURL((url) => url.searchParams.get("kind") === "sub_prefix_hijack" && url.searchParams.get("asn") === "AS17557");
  await page.locator(`tr[data-id="${hijack.id}"]`).waitFor();
  assert.match(await page.locator("h1").innerText(), /match/);
});

test("a view is given a name, left and found again", async () => {
  await page.getByRole("button", { name: "Keep this view" }).click();
  await page.getByPlaceholder("Name of the view").fill("Pakistan Telecom");
  await page.keyboard.press("Enter");
  await page.getByRole("link", { name: "All", exact: true }).click();
  await page.getByRole("link", { name: "Pakistan Telecom" }).click();
  await page.waitForURL(/asn=AS17557/);
});

test("what is marked is exported as CSV and as JSON Lines", async () => {
  await page.locator(`tr[data-id="${hijack.id}"]`).waitFor();
  await page.locator("body").press("j");
  await page.keyboard.press("x");
  await page.getByText("1 incident is marked.").waitFor();
  const bar = page.getByRole("region", { name: "1 incident is marked." });
  const table = await downloaded(page, () => bar.getByRole("button", { name: "CSV" }).click());
  const [head, row] = table.bytes.toString().split("\r\n");
  assert.match(head, /^id,number,kind,state,/);
  assert.ok(row.startsWith(`${hijack.id},`), row);
  const lines = await downloaded(page, () => bar.getByRole("button", { name: "JSON Lines" }).click());
  assert.equal(JSON.parse(lines.bytes.toString().trim()).incident.kind, "sub_prefix_hijack");
});

test("the whole list is exported by the server with the same columns", async () => {
  const { bytes } = await downloaded(page, () => page.locator(".page-head").getByRole("link", { name: "CSV" }).click());
  const [head, row] = bytes.toString().split("\r\n");
  assert.match(head, /^id,number,kind,state,class,confidence/);
  assert.ok(row.startsWith(`${hijack.id},`), row);
});

test("Enter opens the row, and the page says what happened and why", async () => {
  await page.locator(`tr[data-id="${hijack.id}"] th a`).press("Enter");
  await page.getByRole("heading", { level: 1, name: /AS17557.* announces 208\.65\.153\.0\/24, part of AS36561.*208\.65\.152\.0\/22/ }).waitFor();
  const why = page.getByRole("region", { name: "Why" });
  const weights = (await why.locator(".weight").allInnerTexts()).map((text) => Number(text.replace("−", "-")));
  assert.ok(weights.length >= 3, `${weights}`);
  const sum = Math.max(1, Math.min(99, weights.reduce((a, b) => a + b, 0)));
  assert.equal(sum, hijack.confidence);
});

test("the replay is scrubbed to 20:18:43, where both halves are announced", async () => {
  await page.getByRole("slider", { name: "Time of the replay" }).evaluate((slider, time) => {
    slider.value = String(time);
    slider.dispatchEvent(new Event("input", { bubbles: true }));
  }, Date.parse("2008-02-24T20:18:43Z"));
  await page.waitForURL((url) => url.searchParams.get("t") === "2008-02-24T20:18:43Z");
  const replay = page.getByRole("region", { name: "Replay" });
  const tallies = await replay.getByRole("list", { name: "Routes at this time, by prefix" }).innerText();
  for (const half of ["208.65.153.0/25", "208.65.153.128/25"]) assert.match(tallies, new RegExp(`${half.replaceAll(".", "\\.")}\\s*1 leads to the affected`));
  await replay.locator("summary", { hasText: "Paths at this time" }).click();
  const text = await replay.locator("tbody").innerText();
  for (const half of ["208.65.153.0/25", "208.65.153.128/25", "208.65.153.0/24"]) assert.ok(text.includes(half), `${half}: ${text}`);
  assert.ok(text.includes("leads to the affected") && text.includes("leads to or through who announces it"));
});

test("the moment is a link", async () => {
  const other = await page.context().newPage();
  await other.goto(page.url());
  await other.getByRole("region", { name: "Replay" }).getByText("20:18:43Z").first().waitFor();
  await other.close();
});

test("arrow keys step from event to event", async () => {
  const slider = page.getByRole("slider", { name: "Time of the replay" });
  const before = Number(await slider.inputValue());
  await slider.press("ArrowRight");
  await page.waitForURL((url) => Date.parse(url.searchParams.get("t")) > before);
});

test("drawings are taken away as PNG, SVG and CSV", async () => {
  const seen = page.getByRole("region", { name: "Who saw it" });
  const png = await downloaded(page, () => seen.getByRole("button", { name: /^PNG/ }).click());
  assert.deepEqual([...png.bytes.subarray(0, 4)], [0x89, 0x50, 0x4e, 0x47]);
  const svg = await downloaded(page, () => seen.getByRole("button", { name: /^SVG/ }).click());
  assert.match(svg.bytes.toString(), /^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
  assert.doesNotMatch(svg.bytes.toString(), /var\(--/);
  const csv = await downloaded(page, () => seen.getByRole("button", { name: /^CSV/ }).click());
  assert.match(csv.bytes.toString(), /^Time,"?AS17557/);
});

test("the raw updates are there, the first by AS17557", async () => {
  await page.getByRole("tab", { name: "Raw updates" }).click();
  await page.waitForURL(/tab=updates/);
  const row = page.locator("#panel-updates tbody tr").first();
  await row.waitFor();
  assert.match(await row.innerText(), /2008-02-24 18:47:57Z[\s\S]*208\.65\.153\.0\/24[\s\S]*17557/);
});

test("the incident is exported whole", async () => {
  await page.locator(".export summary").click();
  const { name, bytes } = await downloaded(page, () => page.getByRole("link", { name: "Incident, JSON" }).click());
  assert.equal(name, `${hijack.id}.json`);
  assert.equal(JSON.parse(bytes.toString()).id, hijack.id);
});

test("the looking glass tells who announces it now", async () => {
  await page.getByRole("search").getByRole("searchbox").first().waitFor();
  await page.goto(`${service.base}/table?q=208.65.153.238`);
  await page.getByRole("link", { name: "208.65.153.128/25" }).first().waitFor();
  assert.match(await page.getByRole("region", { name: /^Announced now/ }).innerText(), /AS36561/);
});

test("colours and language are chosen, and kept", async () => {
  await page.goto(`${service.base}/settings`);
  const main = page.locator("main");
  await main.getByLabel("Colours").selectOption("dark");
  const ground = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  assert.equal(await ground(), "rgb(15, 20, 27)");
  await main.getByLabel("Colours").selectOption("light");
  assert.equal(await ground(), "rgb(247, 248, 250)");
  await main.getByLabel("Language").selectOption("fr");
  await page.getByRole("heading", { level: 1, name: /Vous êtes connecté/ }).waitFor();
  await page.goto(`${service.base}/incidents/${hijack.id}`);
  await page.getByRole("heading", { level: 1, name: /annonce 208\.65\.153\.0\/24/ }).waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.lang), "fr");
});
