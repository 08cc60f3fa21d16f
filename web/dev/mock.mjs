// A server of made-up incidents, for working on the pages without the program. Development only.
//   node dev/mock.mjs [--port 8099] [--dist dist] [--live SECONDS] [--empty] [--access in|out|setup]
// With --dist it serves the built pages, too, under the policy that the program has for them; with
// --api URL before the API of that service, and makes nothing up.
import { createServer } from "node:http";
import { parseArgs } from "node:util";
import { file, pagesBefore } from "./dist.mjs";
import { access, answerAccess } from "./made-up-access.mjs";
import { answerReadiness } from "./made-up-readiness.mjs";
import { asNow, prefixNow, updates, wholeReplay } from "./made-up-table.mjs";
import { facts, feeds, history, item, replay, statistics, time, whole } from "./made-up.mjs";

const { values: options } = parseArgs({ options: {
  port: { type: "string", default: "8099" }, dist: { type: "string" }, api: { type: "string" },
  live: { type: "string", default: "0" }, empty: { type: "boolean", default: false }, access: { type: "string", default: "in" },
} });
const begun = Date.now();
const items = options.empty ? [] : Array.from({ length: 130 }, (_, n) => item(n, begun));
const streams = new Set();
const users = access(options.access, begun);
/** What users found incidents to be, by id. */
const verdicts = new Map();

function chosen(query) {
  const is = (name, test) => !query.get(name) || test(query.get(name));
  const asn = (text) => Number(text.replace(/^as/i, ""));
  const found = items.filter((one) =>
    is("kind", (v) => one.kind === v) && is("class", (v) => one.class === v) && is("state", (v) => one.state === v) &&
    is("member", (v) => one.constituency.some((touched) => touched.member === v)) &&
    is("constituency", (v) => (one.constituency.length > 0) === (v === "true")) && is("open", (v) => (one.ended_at === null) === (v === "true")) &&
    is("asn", (v) => [...one.culprits, ...one.victims].includes(asn(v))) &&
    is("prefix", (v) => one.prefixes.includes(v)) && is("country", (v) => one.countries.includes(v)) &&
    is("from", (v) => Date.parse(one.first_seen) >= Date.parse(v)) && is("before", (v) => Date.parse(one.first_seen) < Date.parse(v)));
  const by = (name) => found.toSorted((a, b) => b[name] - a[name]);
  const orders = { first_seen: () => found.toReversed(), "-severity": () => by("severity"), "-confidence": () => by("confidence") };
  return (orders[query.get("sort")] ?? (() => found))();
}

function page(query, limit = 50) {
  const all = chosen(query);
  const from = Number(query.get("cursor") ?? 0);
  const size = Number(query.get("limit") ?? limit);
  return { items: all.slice(from, from + size), next: from + size < all.length ? String(from + size) : null };
}

const first = (entries) => page(new URLSearchParams(entries), 20);
const count = (entries) => chosen(new URLSearchParams(entries)).length;

function answer(path, query) {
  if (path === "/incidents") return page(query);
  if (path === "/feeds") return feeds(Date.now());
  if (path === "/facts") return facts(Date.now());
  if (path === "/statistics") return statistics(items, Date.now());
  const [, head, ...rest] = path.split("/");
  const tail = rest.join("/");
  if (head === "asns") {
    return { asn: Number(tail), name: items.map((one) => one.as_names[tail]).find(Boolean) ?? null,
      counts: { open: count({ asn: tail, open: "true" }), culprit: 3, victim: 1, propagator: 12 }, incidents: first({ asn: tail }) };
  }
  if (head === "prefixes") return { prefix: tail, exact: first({ prefix: tail }), covering: first({ prefix: tail }), covered: first({ prefix: tail }) };
  if (head === "table" && rest[0] === "prefixes") return prefixNow(rest.slice(1).join("/"), query, Date.now());
  if (head === "table" && rest[0] === "asns") return asNow(Number(rest[1]), Date.now());
  if (head === "countries") return { country: tail, counts: { open: count({ country: tail, open: "true" }), all: count({ country: tail }) }, incidents: first({ country: tail }) };
  if (head !== "incidents") return null;
  const at = items.findIndex((one) => one.id === rest[0]);
  const one = items[at];
  if (!one) return null;
  if (rest[1] === "history") return history(one);
  // Of sub-prefix hijacks every route change was kept, of the others sample paths.
  const film = one.kind === "sub_prefix_hijack" ? wholeReplay(replay(one), one) : replay(one);
  if (rest[1] === "replay") return film;
  if (rest[1] === "updates") return updates(film, query);
  return { ...whole(one, items[(at + 3) % items.length].id), verdict: verdicts.get(one.id) ?? null };
}

/** Gives or withdraws a verdict; null when something else is asked. */
function judge(method, path, body) {
  const id = /^\/incidents\/([^/]+)\/verdict$/.exec(path)?.[1];
  if (!id) return null;
  if (method === "DELETE") return (verdicts.delete(id), { status: 204 });
  verdicts.set(id, { verdict: body.verdict, note: body.note ?? "", by: users.name, at: time(Date.now()) });
  return { status: 200, body: verdicts.get(id) };
}

function send(response, status, type, body) {
  response.writeHead(status, { "content-type": type, "cache-control": "no-cache" }).end(body);
}

async function bodyOf(request) {
  let text = "";
  for await (const chunk of request) text += chunk;
  return text ? JSON.parse(text) : {};
}

async function api(path, query, request, response) {
  const body = await bodyOf(request);
  const about = answerAccess(users, request.method, path, query, body) ?? judge(request.method, path, body) ?? answerReadiness(path, query, Date.now(), options.empty);
  if (about) {
    const type = about.status < 400 ? "application/json" : "application/problem+json";
    return send(response, about.status, type, about.body ? JSON.stringify(about.body) : undefined);
  }
  if (path === "/events") return stream(request, response);
  const found = answer(path, query);
  if (found) return send(response, 200, "application/json", JSON.stringify(found));
  const problem = { type: "/problems/not_found", title: "Not Found", status: 404, code: "not_found", detail: "no such incident" };
  return send(response, 404, "application/problem+json", JSON.stringify(problem));
}

function stream(request, response) {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" }).write(": hello\n\n");
  streams.add(response);
  request.on("close", () => streams.delete(response));
}

const madeUp = () => createServer((request, response) => {
  const url = new URL(request.url ?? "/", "http://127.0.0.1");
  if (url.pathname.startsWith("/api/v1/")) void api(decodeURIComponent(url.pathname.slice(7)), url.searchParams, request, response);
  else if (options.dist) file(options.dist, decodeURIComponent(url.pathname), response);
  else send(response, 404, "text/plain", "only /api/v1 is here\n");
});
const server = options.api ? pagesBefore(options.api, options.dist ?? "dist") : madeUp();
server.listen(Number(options.port), "127.0.0.1", function () {
  console.log(`${options.api ? `pages before ${options.api}` : "made-up incidents"} at http://127.0.0.1:${this.address().port}/`);
});

let seq = 4711;
function happen() {
  const now = Date.now();
  const one = { ...item(0, now + 14 * 60_000), id: `RW-20261128-${(seq + 0xa0000000).toString(16)}`, number: seq, first_seen: time(now) };
  items.unshift(one);
  const event = { seq: seq++, what: "incident_opened", subject: one.id, at: one.first_seen, recorded_at: one.first_seen, incident: one };
  for (const response of streams) response.write(`id: ${event.seq}\nevent: incident\ndata: ${JSON.stringify(event)}\n\n`);
}
if (Number(options.live) > 0) setInterval(happen, Number(options.live) * 1000);
