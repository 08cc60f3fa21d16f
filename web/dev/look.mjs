// Pictures of every page, wide and narrow, light and dark, and what the pages complained of.
//   node dev/look.mjs OUTPUT_DIR [BASE_URL] [PAGE...]     (needs Chromium; serve dist with dev/mock.mjs)
// The pages before the login are pictured when the server asks for one (dev/mock.mjs --access out, or setup).
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { pagesOf, settled, WINDOW } from "./pages.mjs";

const [out = "look", base = "http://127.0.0.1:8099", ...only] = process.argv.slice(2);
mkdirSync(out, { recursive: true });
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
for (const [name, path] of Object.entries(await pagesOf(base))) {
  if (only.length > 0 && !only.includes(name)) continue;
  for (const width of [1440, 390]) {
    for (const colorScheme of ["light", "dark"]) {
      const page = await browser.newPage({ viewport: { width, height: WINDOW.height }, colorScheme });
      page.on("console", (message) => ["error", "warning"].includes(message.type()) && console.log(name, width, message.text()));
      page.on("pageerror", (error) => console.log(name, width, String(error)));
      await page.goto(base + path);
      await settled(page, name);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      if (wide > 0) console.log(`${name} ${width}: the page is ${wide} px wider than the window`);
      await page.screenshot({ path: join(out, `${name}-${width}-${colorScheme}.png`), fullPage: true });
      await page.close();
    }
  }
}
await browser.close();
