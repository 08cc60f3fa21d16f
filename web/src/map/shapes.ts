/** The world as paths, and where a country's circle stands. Imported lazily: it is the largest part of the overview. */
import { geoArea, geoNaturalEarth1, geoPath, type GeoPermissibleObjects } from "d3-geo";
import { feature } from "topojson-client";
import type { GeometryCollection, Topology } from "topojson-specification";
import atlas from "world-atlas/countries-110m.json";
import { CODE_OF } from "./codes";

export const WIDTH = 800;
export const HEIGHT = 400;

export interface Shape {
  code: string | null;
  d: string;
  /** The middle of its largest part; France's would else lie in the Atlantic. */
  x: number;
  y: number;
}

/** Every country of the atlas, in a natural earth projection that fills WIDTH x HEIGHT. */
export function shapes(): Shape[] {
  const topology = atlas as unknown as Topology<{ countries: GeometryCollection }>;
  const world = feature(topology, topology.objects.countries);
  const projection = geoNaturalEarth1().fitSize([WIDTH, HEIGHT], { type: "Sphere" });
  const path = geoPath(projection).digits(1);
  return world.features
    .filter((one) => String(one.id) !== "010")
    .map((one) => {
      const [x, y] = path.centroid(largest(one.geometry));
      return { code: CODE_OF.get(String(one.id)) ?? null, d: path(one) ?? "", x, y };
    });
}

function largest(geometry: GeoJSON.Geometry): GeoPermissibleObjects {
  if (geometry.type !== "MultiPolygon") return geometry;
  const parts = geometry.coordinates.map((coordinates): GeoJSON.Polygon => ({ type: "Polygon", coordinates }));
  return parts.reduce((best, part) => (geoArea(part) > geoArea(best) ? part : best));
}
