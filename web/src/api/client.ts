import { heard } from "./clock";
import type {
  AsNow, AsView, CountryView, Feeds, GetPath, Got, History, Incident, IncidentItem, Page, PrefixNow, PrefixView, QueryOf,
  Replay, SessionView, Statistics, Tokens, Updates, UserChange, UserRole, Users,
} from "./types";
import type { components } from "./schema";

type Schemas = components["schemas"];

const ROOT = "/api/v1";

/** An answer that is not the data asked for. `code` is the API's, or `network`, or `not_json`. */
export class Problem extends Error {
  readonly code: string;
  readonly status: number;
  readonly parameter: string | null;

  constructor(code: string, status: number, detail: string, parameter: string | null = null) {
    super(detail);
    this.code = code;
    this.status = status;
    this.parameter = parameter;
  }
}

type Scalar = string | number | boolean | null | undefined;
export type Query = Record<string, Scalar>;
/** What may be asked of a route; fields of the page are texts. */
type Asked<P extends GetPath> = { [K in keyof QueryOf<P>]?: Scalar };

/** The address of a route of the API with what is given of its query. */
export function apiUrl(path: string, query: Query = {}): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "") given.set(name, String(value));
  }
  const text = given.toString();
  return ROOT + path + (text ? `?${text}` : "");
}

let onLoginNeeded = (): void => {};

/** What is done when the server says that nobody is logged in (any more). */
export function whenLoginNeeded(call: () => void): void {
  onLoginNeeded = call;
}

async function ask<T>(url: string, init: RequestInit): Promise<T> {
  let response: Response;
  try {
    response = await fetch(url, init);
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new Problem("network", 0, String(error));
  }
  if (!response.ok) {
    const problem = await problemOf(response);
    if (problem.code === "login_needed" || problem.code === "setup_needed") onLoginNeeded();
    throw problem;
  }
  if (response.status === 204) return undefined as T;
  try {
    const answer = (await response.json()) as T;
    if (hasNow(answer)) heard(answer.now);
    return answer;
  } catch (error) {
    throw new Problem("not_json", response.status, String(error));
  }
}

function hasNow(answer: unknown): answer is { now: string } {
  return typeof answer === "object" && answer !== null && "now" in answer && typeof answer.now === "string";
}

/** Asks a route of the description; its `{parts}` are put in. What it answers may be told by narrower names. */
function get<P extends GetPath, T extends Got<P> = Got<P>>(
  path: P, parts: Record<string, string | number>, query: Asked<P>, signal?: AbortSignal,
): Promise<T> {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => String(parts[name] ?? ""));
  return read<T>(filled, query, signal);
}

/** Asks a route whose shapes the description does not name. */
export function read<T>(path: string, query: Query, signal?: AbortSignal): Promise<T> {
  return ask<T>(apiUrl(path, query), { headers: { accept: "application/json" }, ...(signal ? { signal } : {}) });
}

/** What changes something says by its header that a page of ours asks: no form of another site can. */
export function send<T = unknown>(method: "POST" | "PUT" | "PATCH" | "DELETE", path: string, body?: unknown): Promise<T> {
  const headers: Record<string, string> = { accept: "application/json", "x-routewarden": "1" };
  if (body === undefined) return ask<T>(apiUrl(path), { method, headers });
  headers["content-type"] = "application/json";
  return ask<T>(apiUrl(path), { method, headers, body: JSON.stringify(body) });
}

async function problemOf(response: Response): Promise<Problem> {
  const told: unknown = await response.json().catch(() => null);
  const body = (typeof told === "object" && told !== null ? told : {}) as Record<string, unknown>;
  const text = (name: string) => (typeof body[name] === "string" ? body[name] : null);
  return new Problem(
    text("code") ?? `http_${response.status}`,
    response.status,
    text("detail") ?? response.statusText,
    text("parameter"),
  );
}

const user = (name: string) => `/users/${encodeURIComponent(name)}`;

/** A prefix as the parts of a path. */
function parts(prefix: string): { address: string; length: string } {
  const [address = "", length = ""] = prefix.split("/");
  return { address, length };
}

export const api = {
  incidents: (query: Asked<"/incidents">, signal?: AbortSignal) =>
    get<"/incidents", Page<IncidentItem>>("/incidents", {}, query, signal),
  incident: (id: string, signal?: AbortSignal) => get<"/incidents/{id}", Incident>("/incidents/{id}", { id }, {}, signal),
  history: (id: string, after: number | null, signal?: AbortSignal) =>
    get<"/incidents/{id}/history", History>("/incidents/{id}/history", { id }, { after, limit: 200 }, signal),
  replay: (id: string, signal?: AbortSignal) =>
    get<"/incidents/{id}/replay", Replay>("/incidents/{id}/replay", { id }, {}, signal),
  updates: (id: string, after: number | null, limit: number, signal?: AbortSignal) =>
    get<"/incidents/{id}/updates", Updates>("/incidents/{id}/updates", { id }, { after, limit }, signal),
  as: (asn: number, signal?: AbortSignal) => get<"/asns/{asn}", AsView>("/asns/{asn}", { asn }, {}, signal),
  prefix: (prefix: string, signal?: AbortSignal) =>
    get<"/prefixes/{address}/{length}", PrefixView>("/prefixes/{address}/{length}", parts(prefix), {}, signal),
  country: (country: string, signal?: AbortSignal) =>
    get<"/countries/{country}", CountryView>("/countries/{country}", { country }, {}, signal),
  feeds: (query: Asked<"/feeds">, signal?: AbortSignal) => get<"/feeds", Feeds>("/feeds", {}, query, signal),
  facts: (signal?: AbortSignal) => get("/facts", {}, {}, signal),
  statistics: (query: Asked<"/statistics">, signal?: AbortSignal) =>
    get<"/statistics", Statistics>("/statistics", {}, query, signal),
  prefixNow: (prefix: string, query: Asked<"/table/prefixes/{address}/{length}">, signal?: AbortSignal) =>
    get<"/table/prefixes/{address}/{length}", PrefixNow>("/table/prefixes/{address}/{length}", parts(prefix), query, signal),
  asNow: (asn: number, signal?: AbortSignal) => get<"/table/asns/{asn}", AsNow>("/table/asns/{asn}", { asn }, {}, signal),

  session: (signal?: AbortSignal) => get<"/session", SessionView>("/session", {}, {}, signal),
  logIn: (name: string, password: string) => send("POST", "/session", { name, password } satisfies Schemas["LogIn"]),
  logOut: () => send("DELETE", "/session"),
  changePassword: (old: string, next: string) =>
    send("POST", "/password", { old, new: next } satisfies Schemas["PasswordChange"]),
  setUp: (token: string, name: string, password: string) =>
    send("POST", "/setup", { token, name, password } satisfies Schemas["SetUp"]),
  users: (signal?: AbortSignal) => get<"/users", Users>("/users", {}, {}, signal),
  addUser: (name: string, role: UserRole, password: string) =>
    send("POST", "/users", { name, role, password } satisfies Schemas["UserAdd"]),
  changeUser: (name: string, change: UserChange) => send("PATCH", user(name), change),
  tokens: (all: boolean, signal?: AbortSignal) => get<"/tokens", Tokens>("/tokens", {}, { all: all ? "true" : null }, signal),
  addToken: (label: string, role: UserRole, expires_at: string) =>
    send<Schemas["TokenMade"]>("POST", "/tokens", { label, role, expires_at } satisfies Schemas["TokenAdd"]),
  revokeToken: (id: number | string) => send("DELETE", `/tokens/${id}`),
  audit: (cursor: string | null, signal?: AbortSignal) => get("/audit", {}, { cursor }, signal),
};
