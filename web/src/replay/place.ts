/** Sizes of a node: of those that pass routes on, and of vantage points at the edge, of which there are many. */
export const INNER = { width: 96, height: 34 };
export const LEAF = { width: 84, height: 22 };

/** The middle of a node, and its size. */
export interface Placed {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Where each node stands for the whole film: nothing moves when routes come and go. */
export interface Layout {
  width: number;
  height: number;
  nodes: Map<string, Placed>;
}
