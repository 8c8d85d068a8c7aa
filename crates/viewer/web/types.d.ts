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
  /** What the root answered, such as `502`; empty if it is not known. */
  status: string;
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

/** The traces of one shape. */
export interface TraceGroup {
  /** The parameter that finds them. */
  shape: string;
  service: string;
  name: string;
  /** What the root answered, `ok` or `error`; empty without a root. */
  outcome: string;
  /** Where the error began: null without an error, empty if it is not known. */
  error_service: string | null;
  services: number;
  count: number;
  p50_ns: number;
  p95_ns: number;
  /** The fewest and the most. */
  spans: [number, number];
  latest: { trace_id: string; start_ns: string };
}

export interface TraceGroups {
  groups: TraceGroup[];
  more_groups: number;
  traces: number;
  /** Whether older traces were not looked at. */
  more: boolean;
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
  /** How many match, if that was asked for and is known. */
  matching: number | null;
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

/** What is seen of a trace, besides its spans. */
export interface ChartState {
  /** The part of its time, in nanoseconds from its start. */
  window: { from: number; to: number };
  /** The id of the chosen span. */
  selected: string | null;
  /** The indices of the spans that a query finds; null without one. */
  matches: Set<number> | null;
  showCritical: boolean;
}

/** A way to draw the spans of a trace. */
export interface Drawing {
  /** In pixels. */
  rowHeight: number;
  /** Lays the spans out that are shown, and returns how many rows they take. */
  layOut(trace: Trace): number;
  /** The elements in sight, in reading order. Stale ones are made again. */
  draw(
    trace: Trace,
    view: {
      viewport: { scrollTop: number; height: number };
      state: ChartState;
      /** Where the time is drawn, in pixels. */
      track: { left: number; width: number };
      rows: HTMLElement;
    },
    isStale: boolean,
  ): HTMLElement[];
  /** The row of a span, or of a collapsed one above it. */
  rowOf(id: string | null): { index: number; row: number } | undefined;
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
  /** What a span does with it. */
  role?: "call" | "message" | "send" | "receive" | "process" | "other";
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
}

/** What the page uses of an `EventSource`. */
export type EventStream = Pick<
  EventSource,
  | "onopen"
  | "onmessage"
  | "onerror"
  | "readyState"
  | "OPEN"
  | "CLOSED"
  | "addEventListener"
  | "close"
>;

/** Where a feed gets its counts, and whom it tells. */
export interface FeedHandlers {
  openStream(): EventStream;
  getCounts(): Promise<StoreCounts>;
  onCounts(counts: StoreCounts): void;
  onFailure(error: unknown): void;
}

/** What the tabs of the page tell each other: the counts, or why there are none. */
export type LiveMessage =
  | { counts: StoreCounts; failure?: undefined }
  | { counts?: undefined; failure: string };

export type LiveListener = (message: LiveMessage) => void;

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
  /** The trace some rows from the open one, or else the first; loaded, if need be. */
  neighbour(step: number): Promise<TraceSummary | null>;
  /** Whether there is one, loaded or not. */
  hasNeighbour(step: number): boolean;
  /** "12 of 340", or null if the open trace is not in the list. */
  position(): string | null;
  /** Marks the trace that is shown beside the list. */
  setOpen(id: string | null): void;
  /** A hidden list asks for nothing. */
  setHidden(hidden: boolean): void;
}
