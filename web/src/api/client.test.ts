import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { api, apiUrl, Problem, whenLoginNeeded } from "./client";

const answer = (status: number, body: unknown) =>
  new Response(body === undefined ? null : JSON.stringify(body), { status, headers: { "content-type": "application/json" } });
const ask = vi.fn<typeof fetch>();
beforeEach(() => vi.stubGlobal("fetch", ask));
afterEach(() => {
  vi.unstubAllGlobals();
  ask.mockReset();
});
const asked = () => ask.mock.calls[0] as [string, RequestInit];

test("what is not given stays out of the address", () =>
  expect(apiUrl("/incidents", { kind: "moas", asn: "", cursor: null, limit: 50, open: undefined })).toBe("/api/v1/incidents?kind=moas&limit=50"));

test("the parts of a path are put in, the slash of a prefix as it is", async () => {
  ask.mockResolvedValue(answer(200, {}));
  await api.prefix("2001:db8::/32");
  expect(asked()[0]).toBe("/api/v1/prefixes/2001:db8::/32");
});

test("what changes something says that it comes from these pages", async () => {
  ask.mockResolvedValue(answer(204, undefined));
  await api.changeUser("a/b", { disabled: true });
  const [url, init] = asked();
  expect(url).toBe("/api/v1/users/a%2Fb");
  expect(init).toMatchObject({ method: "PATCH", body: '{"disabled":true}', headers: { "x-routewarden": "1", "content-type": "application/json" } });
});

test("a problem keeps its code, its words and its parameter", async () => {
  ask.mockResolvedValue(answer(400, { code: "bad_parameter", detail: "limit: expected a number", parameter: "limit" }));
  const problem = await api.incidents({ limit: "x" }).catch((error: unknown) => error);
  expect(problem).toBeInstanceOf(Problem);
  expect(problem).toMatchObject({ code: "bad_parameter", status: 400, message: "limit: expected a number", parameter: "limit" });
});

test("an answer that is no problem document is one all the same", async () => {
  ask.mockResolvedValue(new Response("<html>", { status: 502, statusText: "Bad Gateway" }));
  await expect(api.facts()).rejects.toMatchObject({ code: "http_502", message: "Bad Gateway" });
});

test("no answer at all is told as such", async () => {
  ask.mockRejectedValue(new TypeError("failed to fetch"));
  await expect(api.facts()).rejects.toMatchObject({ code: "network", status: 0 });
});

test.each(["login_needed", "setup_needed"])("%s is told to whoever keeps the session", async (code) => {
  const told = vi.fn();
  whenLoginNeeded(told);
  ask.mockResolvedValue(answer(code === "login_needed" ? 401 : 403, { code }));
  await expect(api.facts()).rejects.toMatchObject({ code });
  expect(told).toHaveBeenCalledOnce();
});
