import { expect, test } from "vitest";
import atlas from "world-atlas/countries-110m.json";
import { CODE_OF } from "./codes";

const drawn = atlas.objects.countries.geometries as { id?: string; properties: { name: string } }[];

test("every country of the atlas that has a number has its letters", () =>
  expect(drawn.filter((one) => one.id && !CODE_OF.has(one.id)).map((one) => one.properties.name)).toEqual([]));

test("letters and the atlas's name agree where the name is not shortened", () => {
  const names = new Intl.DisplayNames(["en"], { type: "region" });
  const other = drawn
    .filter((one) => one.id && !one.properties.name.includes("."))
    .filter((one) => names.of(CODE_OF.get(one.id ?? "") ?? "ZZ") !== one.properties.name)
    .map((one) => one.properties.name);
  // Names of which ICU has another form.
  const known = [
    "Trinidad and Tobago", "Côte d'Ivoire", "Congo", "Czechia", "eSwatini", "Macedonia", "Myanmar", "Palestine", "Turkey",
    "United States of America",
  ];
  expect(other.filter((name) => !known.includes(name))).toEqual([]);
});
