// A real service that plays the incident of 24 February 2008, and a browser that looks at it.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { chromium } from "playwright-core";
import { pagesBefore } from "../../dev/dist.mjs";

const ROOT = resolve(import.meta.dirname, "../../..");
const PROGRAM = process.env.ROUTEWARDEN ?? join(ROOT, "target/debug/routewarden");
const SCENARIO = join(ROOT, "scenarios/2008-02-24-youtube");
/** A `dist` that is served before the service, in place of the pages that are embedded in it. */
const DIST = process.env.ROUTEWARDEN_DIST;
/** Far longer than anything takes; a machine may be busy. */
export const PATIENCE_MS = 120_000;
export const NAME = "ana";
export const PASSWORD = "a few plain words are enough";

/** Looks until there is something. */
export async function until(what, look) {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) throw new Error(`${what}: not within ${PATIENCE_MS / 1000} s`);
    await pause(100);
  }
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/**
 * The service, with its address and the link of the first run. `speed` as of `serve --speed`; `own` is the address of
 * the service itself, also where a `dist` is served before it.
 */
export async function play(speed) {
  const folder = mkdtempSync(join(tmpdir(), "routewarden-e2e-"));
  const base = `http://127.0.0.1:${await freePort()}`;
  const config = join(folder, "routewarden.toml");
  writeFileSync(config, `[http]\nlisten = "${base.slice(7)}"\n`);
  const options = ["serve", "--config", config, "--ephemeral", "--speed", speed, "--replay", SCENARIO];
  const child = spawn(PROGRAM, options, { stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, TMPDIR: folder } });
  let log = "";
  child.stderr.setEncoding("utf8").on("data", (text) => (log += text));
  const before = DIST ? pagesBefore(base, DIST).listen(0, "127.0.0.1") : null;
  if (before) await once(before, "listening");
  const pages = before ? `http://127.0.0.1:${before.address().port}` : base;
  const stop = async () => {
    before?.closeAllConnections();
    before?.close();
    if (child.exitCode === null) {
      child.kill();
      await once(child, "exit");
    }
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const link = await until("the link of the first run", () => {
      if (child.exitCode !== null) throw new Error(`the service ended: ${log}`);
      return /http:\S+\/setup#[\w-]+/.exec(log)?.[0];
    });
    return { base: pages, own: base, link: link.replace(base, pages), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Makes the first user without a browser; the answer asks the API as that user. */
export async function firstUser({ base, link }) {
  const body = JSON.stringify({ token: link.split("#")[1], name: NAME, password: PASSWORD });
  const headers = { "content-type": "application/json", "x-routewarden": "1" };
  const answer = await fetch(`${base}/api/v1/setup`, { method: "POST", headers, body });
  if (!answer.ok) throw new Error(`the first user: ${answer.status} ${await answer.text()}`);
  const cookie = answer.headers.getSetCookie()[0].split(";")[0];
  return Object.assign(async (path) => (await fetch(base + path, { headers: { cookie } })).json(), { cookie });
}

/** The hijack, once it is over and what followed has been played. */
export function theHijack(ask) {
  return until("the end of the hijack", async () => {
    const { items = [] } = await ask("/api/v1/incidents?asn=17557&role=culprit&open=false");
    const { now } = await ask("/api/v1/feeds");
    return now >= "2008-02-24T21:15" ? items.find((one) => one.kind === "sub_prefix_hijack") : null;
  });
}

export function launch() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
}

/** A window of somebody who is logged in; what its pages complain of fails the test when it is closed. */
export async function windowOf(browser, base, options = {}) {
  const context = await browser.newContext({ locale: "en-GB", viewport: { width: 1440, height: 900 }, acceptDownloads: true, ...options });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    // A refused login is an answer of 401, and before the first survey readiness is 503: the browser tells
    // of both as well.
    const isAnswer = /status of 401/.test(message.text())
      || (/status of (503|404)/.test(message.text()) && /\/readiness\//.test(message.location().url));
    if (message.type() === "error" && !isAnswer) complaints.push(message.text());
  });
  const close = async () => {
    await context.close();
    if (complaints.length > 0) throw new Error(`the pages complained: ${complaints.join("\n")}`);
  };
  const logIn = async (path = "/") => {
    await page.goto(base + path);
    await page.getByLabel("Name").fill(NAME);
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByRole("navigation", { name: "Pages" }).waitFor();
  };
  return { page, close, logIn };
}

/** The text of a file that a click gives. */
export async function downloaded(page, click) {
  const [download] = await Promise.all([page.waitForEvent("download"), click()]);
  const chunks = [];
  for await (const chunk of await download.createReadStream()) chunks.push(chunk);
  return { name: download.suggestedFilename(), bytes: Buffer.concat(chunks) };
}
