// What the page uses of dagre. By hand: its own types describe more.

export class Graph {
  constructor(options?: { multigraph?: boolean });
  setGraph(options: {
    rankdir: "LR" | "TB";
    nodesep: number;
    edgesep: number;
    ranksep: number;
    marginx: number;
    marginy: number;
  }): this;
  setNode(id: string, label: { width: number; height: number }): this;
  setEdge(
    from: string,
    to: string,
    label: { width: number; height: number; labelpos: "c" },
  ): this;
  graph(): { width?: number; height?: number };
  /** With the centre, once it is laid out. */
  node(id: string): { x: number; y: number };
  edge(
    from: string,
    to: string,
  ): { x?: number; y?: number; points: { x: number; y: number }[] };
}

/** Writes positions into the graph. */
export function layout(graph: Graph): void;
