import { drawnPath, type Drawn } from "./fold";
import type { Layout, Placed } from "./place";
import { type Cast, type Route, sideOf } from "./model";

/** A line between two ASes that routes of one colour pass. */
export interface Edge {
  key: string;
  d: string;
  side: "culprit" | "victim" | "other";
  /** Grows with the logarithm of the number of routes. */
  width: number;
  title: string;
}

/** The distance between lines of two colours that pass the same two ASes. */
const APART = 3;
const OFFSET = { culprit: -APART, victim: APART, other: 0 };

/** The lines of these routes, coloured by whom they serve. */
export function edgesOf(
  routes: Route[], drawn: Drawn, cast: Cast, layout: Layout,
): Edge[] {
  const counts = new Map<string, { from: string; to: string; side: Edge["side"]; count: number }>();
  for (const { path } of routes) {
    const side = sideOf(path, cast);
    const nodes = drawnPath(path, drawn);
    nodes.slice(1).forEach((to, at) => {
      const from = nodes[at];
      if (from === undefined || from === to) return;
      const key = `${from} ${to} ${side}`;
      const known = counts.get(key);
      if (known) known.count++;
      else counts.set(key, { from, to, side, count: 1 });
    });
  }
  return [...counts].flatMap(([key, { from, to, side, count }]) => {
    const [a, b] = [layout.nodes.get(from), layout.nodes.get(to)];
    if (!a || !b) return [];
    const title = `${from} → ${to}: ${count}`;
    return [{ key, d: curve(a, b, OFFSET[side]), side, width: 2 + Math.log2(count), title }];
  });
}

/** A line from one AS to the next; where the layers put the next one before it, from its other side. */
function curve(a: Placed, b: Placed, offset: number): string {
  const way = b.x < a.x ? -1 : 1;
  const [x1, x2] = [a.x + (way * a.width) / 2, b.x - (way * b.width) / 2];
  const [y1, y2] = [a.y + offset, b.y + offset];
  const bend = way * Math.max(24, Math.abs(x2 - x1) / 2);
  return `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`;
}
