// Accessibility of every page, wide and narrow, light and dark: rules of WCAG 2.0 to 2.2, A and AA.
//   node dev/axe.mjs [BASE_URL...] [PAGE...]     (needs Chromium and dist; without a server, made-up ones are started)
//   node dev/axe.mjs --service [PAGE...]         (the incident of 24 February 2008, played by ROUTEWARDEN, logged in)
// Fails when a rule is violated.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";
import { firstUser, play, theHijack } from "../tests/e2e/service.mjs";
import { pagesOf, settled, STATES, withMocks } from "./pages.mjs";

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
const source = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
const bases = process.argv.slice(2).filter((one) => one.startsWith("http"));
const only = process.argv.slice(2).filter((one) => !one.startsWith("http") && !one.startsWith("--"));
let [looked, violations] = [0, 0];

async function look(page, name) {
  const found = await page.evaluate((values) => globalThis.axe.run(document, { runOnly: { type: "tag", values } }), RULES);
  looked++;
  for (const { id, impact, help, nodes } of found.violations) {
    violations++;
    console.log(`${name}: ${id} (${impact}): ${help}`);
    for (const node of nodes.slice(0, 3)) console.log(`    ${node.html.slice(0, 160)}\n      ${node.failureSummary?.split("\n").slice(1, 3).join(" ").trim()}`);
  }
}

async function lookInBoth(page, name) {
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await look(page, `${name} ${colorScheme}`);
  }
}

async function lookAtAll(base, cookie = "") {
  const context = await browser.newContext();
  const [name, value] = cookie.split("=");
  if (cookie) await context.addCookies([{ name, value, url: base }]);
  for (const [name, path] of Object.entries(await pagesOf(base, cookie))) {
    if (only.length > 0 && !only.includes(name)) continue;
    for (const width of [1440, 390]) {
      const page = await context.newPage();
      await page.setViewportSize({ width, height: 900 });
      await page.goto(base + path);
      await settled(page, name);
      // Through the debugger: the pages' own policy lets no such script in.
      await page.evaluate(source);
      await lookInBoth(page, `${name} ${width}`);
      for (const [state, open] of Object.entries(STATES[name] ?? {})) {
        await open(page);
        await lookInBoth(page, `${name}, ${state} ${width}`);
      }
      await page.close();
    }
  }
  await context.close();
}

async function lookAtService() {
  const service = await play("max");
  try {
    await lookAtAll(service.base);
    const ask = await firstUser(service);
    await theHijack(ask);
    await lookAtAll(service.base, ask.cookie);
  } finally {
    await service.stop();
  }
}

if (process.argv.includes("--service")) await lookAtService();
else if (bases.length > 0) for (const base of bases) await lookAtAll(base);
else await withMocks([["--access", "in"], ["--access", "out"], ["--access", "setup"], ["--empty"]], lookAtAll);
await browser.close();
console.log(`${looked} looks, ${violations} violations of ${RULES.join(", ")}`);
process.exit(violations > 0 ? 1 : 0);
