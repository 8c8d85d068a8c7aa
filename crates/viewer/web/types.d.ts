// The JSON of the viewer's API (docs/viewer-api.md), and types that the page's
// files share. Only `tsc` reads it; the page never loads it.

export interface ServiceCounts {
  name: string;
  spans: number;
  errors: number;
}

export interface TraceSummary {
  id: number;
  changed: number;
  trace_id: string;
  service: string;
  name: string;
  rooted: boolean;
  start_ns: string;
  duration_ns: number;
  spans: number;
  errors: number;
  /** Null if it is not known. */
  root_error: boolean | null;
  /** Where the error began. */
  error_service: string | null;
  pinned: boolean;
  incomplete: { refused: number } | null;
  /** How many services are left out. */
  more_services: number;
  services: ServiceCounts[];
}

/** What the newest traces that match have. */
export interface Facets {
  /** How many traces were counted. */
  traces: number;
  more: boolean;
  keys: {
    key: string;
    /** Whether it is a field of spans, and no attribute. */
    field: boolean;
    /** Value and number of traces, the most frequent first. */
    values: [string, number][];
    more: boolean;
  }[];
}

export interface TracePage {
  traces: TraceSummary[];
  more: boolean;
  before: number | null;
  changed: number;
  oldest: number;
  kept: number[];
  total: number;
  /** How many are left out of the list: nothing but a request without a route. */
  unrouted: number;
}

export interface Link {
  trace_id: string;
  span_id: string;
  reason: string | null;
}

/** A span that links to another: itself within the trace, or else by its trace's root. */
export interface LinkSource {
  trace_id: string;
  span_id: string;
  service: string;
  name: string;
}

export type TimeProblem = "no_start" | "no_end" | "end_before_start";

/** A span as a row of its trace. */
export interface SpanRow {
  id: string;
  parent: string;
  /** An index into the trace's services. */
  service: number;
  name: string;
  kind: string;
  error: boolean;
  message: string;
  offset_ns: number;
  duration_ns: number;
  time: TimeProblem | null;
  depth: number;
  descendants: number;
  orphan: boolean;
  cycle: boolean;
  skew_ns: number;
  /** From and to, from the start of the trace. */
  critical: [number, number][];
  simulated: boolean;
  /** Offset and name. */
  events: [number, string][];
  links: Link[];
  /** How many links of other traces lead to it. */
  linked_from: number;
  peer: Peer | null;
  /** The status that HTTP or RPC answered with; empty if it is unknown. */
  status: string;
  /** How often the call had been tried before. */
  resend: number;
}

export interface Trace {
  trace_id: string;
  start_ns: string;
  duration_ns: number;
  services: string[];
  pinned: boolean;
  incomplete: { refused: number; orphans: number } | null;
  /** Links to other traces that are not found from there. */
  links_left_out: number;
  spans: SpanRow[];
}

export interface Attribute {
  key: string;
  value: unknown;
  /** Shown for a value that is not text: numbers would be rounded. */
  text?: string;
}

/** All of one span. */
export interface SpanDetails {
  trace_id: string;
  span_id: string;
  parent_id: string;
  trace_state: string;
  name: string;
  kind: string;
  start_ns: string;
  duration_ns: number;
  time: TimeProblem | null;
  status: { code: "UNSET" | "OK" | "ERROR"; message: string };
  attributes: Attribute[];
  events: { name: string; offset_ns: number | null; attributes: Attribute[] }[];
  /** `stored` is null where the viewer has not looked for the target. */
  links: (Link & { attributes: Attribute[]; stored: boolean | null })[];
  linked_from: LinkSource[];
  more_linked_from: boolean;
  peer: Peer | null;
  resource: Attribute[];
  scope: { name: string; version: string; attributes: Attribute[] } | null;
  schema_url: string;
  dropped: Record<string, number>;
}

export interface CallStats {
  count: number;
  /** Calls a second. */
  rate: number;
  errors: number;
  /** 0 to 1. */
  error_rate: number;
  p50_ns: number;
  p95_ns: number;
  p99_ns: number;
}

export type PeerKind =
  "service" | "queue" | "database" | "cache" | "rpc" | "external";

/** What a span interacts with, unless it is a service with spans. */
export interface Peer {
  kind: PeerKind;
  /** Empty if it is unknown, as the name is. */
  system: string;
  name: string;
}

export interface GraphNode extends CallStats, Peer {
  id: string;
  /** The name of a service; null for what is none. */
  service: string | null;
  /** What finds the traces of what is no service, each as `key=value`. */
  attributes: string[];
}

export interface GraphEdge extends CallStats {
  /** Ids of nodes. */
  caller: string;
  callee: string;
  attributes: string[];
}

export interface Graph {
  nodes: GraphNode[];
  edges: GraphEdge[];
  traces: number;
  seconds: number;
}

export interface StoreCounts {
  traces: number;
  spans: number;
  bytes: number;
  changed: number;
  since: string;
  turned_away: number;
  in_memory: boolean;
}

/** The parameters of a request; empty ones are not sent. */
export type Parameters = Record<
  string,
  string | number | string[] | null | undefined
>;

/** One view of the page, while it is shown. */
export interface View {
  /** Stops timers and observers. */
  dispose(): void;
  /** Handles a key, or returns false. */
  onKey?(event: KeyboardEvent): boolean;
  /** Shows another address, or returns false when a new view is needed. */
  navigate?(segments: string[], query: URLSearchParams): boolean;
}

export type OpenView = (
  main: HTMLElement,
  segments: string[],
  query: URLSearchParams,
) => View;

/** What `el` takes as a child: null, undefined and false are left out. */
export type Child = Node | string | number | false | null | undefined | Child[];

/** What `el` takes as properties: `on…` is a listener, the rest are attributes. */
export type Properties = Record<
  string,
  string | number | boolean | null | undefined | ((event: any) => unknown)
>;

/** A report, as far as the page shows it (docs/report.schema.json). */
export interface Report {
  version: number;
  trace_id?: string;
  payload?: string[];
  hops: ReportHop[];
  spans: {
    span_id: string;
    parent_span_id?: string;
    kind: string;
    faults?: string[];
  }[];
  left_out: LeftOut[];
}

interface ReportTimes {
  start_unix_nano: string;
  end_unix_nano: string;
}

export interface ReportHop extends ReportTimes {
  service: string;
  span_id?: string;
  status: number;
  outcome: string;
  reason?: string;
  error?: string;
  latency?: { ms: number; reason: string };
  seed?: string;
  calls: ReportCall[];
}

export interface ReportCall {
  url: string;
  outcome: string;
  error?: string;
  tries: ReportTry[];
}

export interface ReportTry extends ReportTimes {
  span_id?: string;
  status?: number;
  error?: string;
}

export interface LeftOut {
  below?: string;
  hop: string;
  reason: "no_report" | "size";
  spans?: number;
  hops?: number;
}

/** A hop as a row of a table. */
export interface HopRow {
  service: string;
  /** How many calls led to it. */
  depth: number;
  status: number;
  failed: boolean;
  outcome: string;
  reason: string;
  error: string;
  /** What was done to its span on purpose. */
  faults: string;
  latency_ns: number | null;
  latency_reason: string;
  duration_ns: number | null;
  tries: TryRow[];
}

/** A try of a call as a row of a table. */
export interface TryRow {
  url: string;
  outcome: string;
  failed: boolean;
  /** What was done to its span on purpose. */
  faults?: string;
  /** From 1 on; 0 for a call that was not made. */
  number: number;
  of?: number;
  duration_ns?: number | null;
}

/** What the list tells the window around it. */
export interface ListHandlers {
  /** A row was selected by keyboard. */
  onSelect(summary: TraceSummary): void;
  /** A trace was chosen to be shown. */
  onOpen(summary: TraceSummary): void;
  /** The rows have changed. */
  onChange(): void;
}

/** The list, while it is shown alone or beside a trace. */
export interface ListView extends View {
  onKey(event: KeyboardEvent): boolean;
  /** Shows what an address says. */
  restore(query: URLSearchParams): void;
  /** The trace some rows from the open one, or else the first. */
  neighbour(step: number): TraceSummary | null;
  /** "12 of 340", or null if the open trace is not in the list. */
  position(): string | null;
  /** Marks the trace that is shown beside the list. */
  setOpen(id: string | null): void;
  /** A hidden list asks for nothing. */
  setHidden(hidden: boolean): void;
}
