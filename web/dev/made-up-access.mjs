// Users, tokens and an audit log of the mock: kept in memory, forgotten with it. Every password is taken.
import { time } from "./made-up.mjs";

const DAY = 24 * 3_600_000;
const ROLES = ["viewer", "analyst", "admin"];

/** The state of access. `mode`: `in` (somebody is logged in), `out`, `setup`. */
export function access(mode, begun) {
  const user = (name, role, more = {}) => ({ name, role, created_at: time(begun - 90 * DAY), password_at: time(begun - 30 * DAY), login_at: time(begun - 3_600_000), disabled_at: null, ...more });
  const users = mode === "setup" ? [] : [user("ana", "admin"), user("bruno", "analyst", { login_at: null }), user("former", "viewer", { disabled_at: time(begun - 5 * DAY) }), user("portal", "viewer")];
  const tokens = [
    { id: 3, user: "ana", label: "SIEM import", role: "viewer", created_at: time(begun - 60 * DAY), expires_at: time(begun + 30 * DAY), used_at: time(begun - 300_000) },
    { id: 2, user: "ana", label: "Old script", role: "analyst", created_at: time(begun - 200 * DAY), expires_at: time(begun - 20 * DAY), used_at: null },
  ];
  const audit = [];
  let seq = 0;
  const log = (verb, object = "", detail = "", outcome = "ok", who = state.name, at = Date.now()) =>
    audit.unshift({ seq: ++seq, at: time(at), user: who, token: null, address: "192.0.2.77", verb, object, detail, outcome, hash: "0".repeat(64) });
  const state = { name: mode === "in" ? "ana" : null, users, tokens, audit, log };
  for (let n = 60; n > 0 && mode !== "setup"; n--) {
    const [verb, object, detail, outcome, who] = [["log_in", "ana", "", "ok", null], ["export", "/api/v1/incidents", "format=csv&open=true", "ok", "ana"],
      ["log_in", "", "", "refused", null], ["user_role", "bruno", "analyst", "ok", "ana"], ["token_add", "3", "ana viewer SIEM import", "ok", "ana"]][n % 5];
    log(verb, object, detail, outcome, who, begun - n * 7_000_000);
  }
  return state;
}

const problem = (status, code, detail) => ({ status, body: { type: `/problems/${code}`, title: "", status, code, detail } });
const is = (status, body) => ({ status, body });

/** The answer to a request about access; null when it is about something else. */
export function answerAccess(state, method, path, query, body) {
  const me = state.users.find((user) => user.name === state.name);
  const [, head, tail] = path.split("/");
  if (head === "session") return session(state, method, body, me);
  if (head === "setup") return setUp(state, body);
  if (state.users.length === 0) return problem(403, "setup_needed", "there is no user yet");
  if (!me) return problem(401, "login_needed", "log in first");
  if (head === "password") {
    if (body.old === "wrong") return problem(401, "login_failed", "the old password is wrong");
    state.log("user_password", me.name);
    return is(204);
  }
  if (head === "tokens") return tokens(state, method, tail, body);
  if (head !== "users" && head !== "audit") return null;
  if (me.role !== "admin") return problem(403, "not_allowed", "only an admin may do this");
  if (head === "audit") {
    const from = Number(query.get("cursor") ?? 0);
    return is(200, { items: state.audit.slice(from, from + 50), next: from + 50 < state.audit.length ? String(from + 50) : null });
  }
  return users(state, method, tail, body);
}

function session(state, method, body, me) {
  if (method === "GET") return is(200, { user: me ? { name: me.name, role: me.role } : null, setup_needed: state.users.length === 0, mode: "users" });
  if (method === "DELETE") { state.log("log_out", state.name); state.name = null; return is(204); }
  const known = state.users.find((user) => user.name === body.name && !user.disabled_at);
  state.log("log_in", known?.name ?? "", "", known && body.password !== "wrong" ? "ok" : "refused", null);
  if (!known || body.password === "wrong") return problem(401, "login_failed", "this name with this password is not known");
  state.name = known.name;
  return session(state, "GET", {}, known);
}

function setUp(state, body) {
  if (state.users.length > 0) return problem(409, "set_up_done", "there is a user already");
  if (body.token === "wrong") return problem(403, "setup_refused", "this link is not of this server");
  const now = time(Date.now());
  state.users.push({ name: body.name, role: "admin", created_at: now, password_at: now, login_at: null, disabled_at: null });
  state.name = body.name;
  state.log("set_up", body.name);
  return session(state, "GET", {}, state.users[0]);
}

function tokens(state, method, tail, body) {
  if (method === "GET") return is(200, { items: state.tokens });
  if (method === "DELETE") {
    state.tokens = state.tokens.filter((token) => String(token.id) !== tail);
    state.log("token_revoke", tail);
    return is(204);
  }
  const id = Math.max(0, ...state.tokens.map((token) => token.id)) + 1;
  state.tokens.push({ id, user: state.name, label: body.label, role: body.role, created_at: time(Date.now()), expires_at: body.expires_at, used_at: null });
  state.log("token_add", String(id), `${state.name} ${body.role} ${body.label}`);
  return is(201, { id, token: `rwt_${"MadeUpSecret".repeat(4).slice(0, 43)}` });
}

function users(state, method, tail, body) {
  if (method === "GET") return is(200, { items: state.users });
  if (method === "POST") {
    if (state.users.some((user) => user.name === body.name)) return problem(409, "name_taken", "the name is taken");
    if (!ROLES.includes(body.role)) return problem(400, "bad_parameter", "role: expected viewer, analyst or admin");
    const now = time(Date.now());
    state.users.push({ name: body.name, role: body.role, created_at: now, password_at: now, login_at: null, disabled_at: null });
    state.log("user_add", body.name, body.role);
    return is(201, state.users.at(-1));
  }
  const user = state.users.find((one) => one.name === decodeURIComponent(tail ?? ""));
  if (!user) return problem(404, "no_such_user", "there is no such user");
  const admins = state.users.filter((one) => one.role === "admin" && !one.disabled_at);
  const leaves = (body.role && body.role !== "admin") || body.disabled;
  if (leaves && admins.length === 1 && admins[0] === user) return problem(409, "last_admin", "the last admin");
  if (body.role) { user.role = body.role; state.log("user_role", user.name, body.role); }
  if (body.password) state.log("user_password", user.name);
  if (body.disabled !== undefined) { user.disabled_at = body.disabled ? time(Date.now()) : null; state.log(body.disabled ? "user_disable" : "user_enable", user.name); }
  return is(200, user);
}
