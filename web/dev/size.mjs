// What a reader fetches for each page, compressed as the server does it. Fails when the first page
// is over its limit. Run after `npm run build`.
import { readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const FIRST_PAGE_MAX = 350_000;
const files = new Map();
for (const name of readdirSync("dist/assets")) {
  const bytes = readFileSync(`dist/assets/${name}`);
  files.set(name, { raw: bytes.length, gzip: name.endsWith(".woff2") ? bytes.length : gzipSync(bytes, { level: 9 }).length });
}
const manifest = JSON.parse(readFileSync("dist/.vite/manifest.json", "utf8"));
/** All files that an entry brings with it; `lazy`: those that it may fetch later, too. */
function brought(key, lazy, seen = new Set()) {
  if (seen.has(key)) return seen;
  seen.add(key);
  const entry = manifest[key];
  for (const next of [...(entry.imports ?? []), ...(lazy ? (entry.dynamicImports ?? []) : [])]) brought(next, lazy, seen);
  return seen;
}
function weight(keys) {
  const names = new Set([...keys].flatMap((key) => [manifest[key].file, ...(manifest[key].css ?? [])]).map((path) => path.replace("assets/", "")));
  return [...names].reduce((sum, name) => sum + (files.get(name)?.gzip ?? 0), 0);
}
const fonts = [...files].filter(([name]) => /latin-wght/.test(name) && !/ext/.test(name)).reduce((sum, [, size]) => sum + size.gzip, 0);
const shell = brought("index.html", false);
const row = (name, bytes) => console.log(`${name.padEnd(34)} ${(bytes / 1000).toFixed(1).padStart(8)} kB`);
row("shell and words", weight(shell));
row("two fonts (latin)", fonts);
let failed = false;
for (const key of manifest["index.html"].dynamicImports ?? []) {
  if (!key.startsWith("src/pages/")) continue;
  const first = weight(new Set([...shell, ...brought(key, false)])) + fonts;
  // The shell fetches every page later: that is not of this one.
  const all = weight(new Set([...shell, ...brought(key, true, new Set(["index.html"]))])) + fonts;
  console.log(`${key.slice(10).padEnd(20)} first ${(first / 1000).toFixed(1)} kB, with all that it fetches later ${(all / 1000).toFixed(1)} kB`);
  if (all > FIRST_PAGE_MAX) failed = true;
}
row("everything", [...files.values()].reduce((sum, size) => sum + size.gzip, 0));
if (failed) {
  console.error(`a page is over ${FIRST_PAGE_MAX / 1000} kB`);
  process.exit(1);
}
