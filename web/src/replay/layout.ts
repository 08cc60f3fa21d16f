import { Graph, layout } from "@dagrejs/dagre";
import { drawnPath, type Drawn } from "./fold";
import type { Route } from "./model";
import { INNER, type Layout, LEAF, type Placed } from "./place";

const MARGIN = 14;
/** The width that the drawing shall have, and the least and greatest distance of its layers. */
const WIDTH = 1400;
const [APART_MIN, APART_MAX] = [30, 150];

/** Places all nodes of all routes in layers: vantage points left, origins right. */
export function placed(routes: Route[], drawn: Drawn): Layout {
  const graph = new Graph();
  graph.setGraph({ rankdir: "LR", ranker: "longest-path", nodesep: 5, edgesep: 2, ranksep: APART_MAX, marginx: MARGIN, marginy: MARGIN });
  graph.setDefaultEdgeLabel(() => ({}));
  const paths = routes.map(({ path }) => drawnPath(path, drawn));
  const inner = new Set(paths.flatMap((nodes) => nodes.slice(1)));
  for (const node of drawn.members.keys()) graph.setNode(node, { ...(inner.has(node) ? INNER : LEAF) });
  for (const nodes of paths) {
    nodes.slice(1).forEach((to, at) => {
      const from = nodes[at];
      if (from !== undefined && from !== to) graph.setEdge(from, to);
    });
  }
  layout(graph);
  const layers = new Set(graph.nodes().map((node) => Math.round((graph.node(node) as Placed).x))).size;
  const apart = Math.max(APART_MIN, Math.min(APART_MAX, WIDTH / layers - INNER.width));
  if (apart < APART_MAX) {
    graph.setGraph({ ...graph.graph(), ranksep: apart });
    layout(graph);
  }
  const nodes = new Map<string, Placed>();
  for (const node of graph.nodes()) {
    const { x, y, width, height } = graph.node(node) as Placed;
    nodes.set(node, { x, y, width, height });
  }
  const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number };
  return { width, height, nodes };
}
