// Every page with an address that shows it, for dev/look.mjs and dev/axe.mjs.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";

export const WINDOW = { width: 1440, height: 900 };

/** Names and addresses of the pages of a server; those before the login when it asks for one and has no `cookie`. */
export async function pagesOf(base, cookie = "") {
  const ask = async (path) => (await fetch(`${base}/api/v1${path}`, { headers: { cookie } })).json();
  const { user, setup_needed, mode } = await ask("/session");
  if (setup_needed) return { setup: "/setup#made-up", "setup-none": "/" };
  if (user === null && mode !== "off") return { login: "/incidents" };
  const { items } = await ask("/incidents?limit=1");
  if (items.length === 0) {
    return { "overview-empty": "/", "incidents-empty": "/incidents", "readiness-empty": "/readiness", "readiness-measuring": "/readiness?period=7d", "readiness-as-empty": "/readiness/as/64500" };
  }
  const first = async (kind) => (await ask(`/incidents?kind=${kind}`)).items[0];
  const hijack = (await first("sub_prefix_hijack")) ?? items[0];
  const leak = await first("route_leak");
  const [asn, prefix, country = "NL"] = [hijack.culprits[0] ?? hijack.victims[0], hijack.prefixes[0], hijack.countries[0]];
  const [member = "example"] = hijack.constituency.map((one) => one.member);
  const pages = {
    overview: "/", scoped: `/?member=${member}`, incidents: "/incidents", filtered: "/incidents?open=true&class=high", none: "/incidents?kind=as_set",
    incident: `/incidents/${hijack.id}`, vantage: `/incidents/${hijack.id}?tab=vantage`, updates: `/incidents/${hijack.id}?tab=updates`,
    related: `/incidents/${hijack.id}?tab=related`, prefixes: `/incidents/${(leak ?? hijack).id}?tab=prefixes`,
    as: `/as/${asn}`, victim: `/as/${hijack.victims[0] ?? asn}`, prefix: `/prefix/${prefix}`, country: `/country/${country}`,
    glass: "/table", "glass-prefix": `/table?q=${prefix}&match=covered`, "glass-as": `/table?q=AS${hijack.victims[0] ?? asn}`, feeds: "/feeds",
    readiness: "/readiness", regions: "/readiness?by=region&score=A4-RPKI&profile=routewarden-1&period=30d", raw: "/readiness?profile=manrs-2018", unmeasured: "/readiness?period=2001-01",
    group: `/readiness/country/${country}`, networks: "/readiness/world/world?class=lagging&order=best", "readiness-as": `/readiness/as/${asn}`, ours: `/readiness/as/${asn}?profile=routewarden-1`,
    compare: "/readiness/compare", compared: `/readiness/compare?asns=${asn},${hijack.victims[0] ?? asn},64511`,
    settings: "/settings", tokens: "/settings/tokens", users: "/settings/users", audit: "/settings/audit", missing: "/nothing",
  };
  return leak ? { ...pages, leak: `/incidents/${leak.id}` } : pages;
}

/** Waits until a page shows what it has to show. */
export async function settled(page, name) {
  await page.locator("main h1").first().waitFor();
  await page.waitForFunction(() => !document.querySelector(".waiting, [aria-busy='true']"));
  await page.evaluate(() => document.fonts.ready);
  if (["incident", "leak"].includes(name)) await page.locator(".graph, #replay-title + *").first().waitFor();
  if (["incident", "leak", "overview"].includes(name)) await page.locator(".plot svg").first().waitFor();
}

/** What can be opened on a page, for those who look at it: by the page's name, each with how to open it. */
export const STATES = {
  overview: {
    help: async (page) => page.keyboard.press("?"),
  },
  incidents: {
    marked: async (page) => page.evaluate(() => document.querySelectorAll("td.mark input").forEach((box, at) => at < 2 && box.click())),
  },
  filtered: {
    "keeping the view": async (page) => page.locator(".views button").last().click(),
  },
  incident: {
    "export open": async (page) => page.locator(".export summary").click(),
    "as table": async (page) => page.locator("#seen-title ~ * .foot button").first().click(),
    "reasons open": async (page) => page.evaluate(() => document.querySelectorAll("main details").forEach((one) => (one.open = true))),
  },
  "readiness-as": {
    "all metrics open": async (page) => page.evaluate(() => document.querySelectorAll("main details").forEach((one) => (one.open = true))),
    "history as table": async (page) => page.locator("#history-title ~ * .foot button").first().click(),
  },
  compare: {
    refused: async (page) => {
      await page.locator("main form input").last().fill("nobody");
      await page.locator("main form button").click();
      await page.locator("#refused").waitFor();
    },
  },
  related: {
    judged: async (page) => {
      const form = page.locator("#verdict form");
      if ((await form.count()) === 0) return;
      await form.locator("input[type=radio]").first().check();
      await form.locator("button").first().click();
      await page.locator("#verdict .done:not(:empty)").waitFor();
    },
  },
  users: { "setting a password": async (page) => page.locator(".acts button").first().click() },
};

/** Starts a server of made-up incidents with each list of options, and hands its address on. */
export async function withMocks(all, work) {
  for (const options of all) {
    const mock = spawn(process.execPath, [join(import.meta.dirname, "mock.mjs"), "--port", "0", "--dist", join(import.meta.dirname, "../dist"), ...options]);
    try {
      const [line] = await once(createInterface(mock.stdout), "line");
      await work(/http:\S+[^/\s]/.exec(line)[0].replace(/\/$/, ""));
    } finally {
      mock.kill();
    }
  }
}
