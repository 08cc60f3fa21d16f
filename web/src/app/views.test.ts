import { expect, test } from "vitest";
import { canonical, VIEWS_MAX, viewsOf, withView } from "./views.svelte";

test("two ways to the same filters are one view", () => {
  const one = canonical(new URLSearchParams("open=true&kind=moas&cursor=17&row=x"));
  const other = canonical(new URLSearchParams("kind=moas&open=true"));
  expect(one).toBe("kind=moas&open=true");
  expect(other).toBe(one);
});

test.each([null, "", "{", "17", '[null, 3, {"name": 1}]'])("%s is no view", (text) => expect(viewsOf(text)).toEqual([]));

test("what was kept is given back, without what is no filter", () =>
  expect(viewsOf('[{"name": "Leaks", "query": "kind=route_leak&evil=1"}]')).toEqual([
    { name: "Leaks", query: "kind=route_leak" },
  ]));

test("a view of the same name is replaced, and their number is bounded", () => {
  const before = [{ name: "b", query: "open=true" }, { name: "c", query: "" }];
  expect(withView(before, { name: "b", query: "kind=moas" })).toEqual([
    { name: "b", query: "kind=moas" }, { name: "c", query: "" },
  ]);
  const many = Array.from({ length: VIEWS_MAX }, (_, at) => ({ name: `v${at}`, query: "" }));
  expect(withView(many, { name: "a", query: "" })).toHaveLength(VIEWS_MAX);
});
