// The page's texts in English. `pt-BR.js` has the same keys.

import { counter } from "./counter.js";

/** @typedef {typeof en} Texts */
/** @typedef {import('./counter.js').Noun} Noun */

const counted = counter("en");
const two = (/** @type {number} */ number) => String(number).padStart(2, "0");

/** What is counted. */
const nouns = {
  trace: /** @type {Noun} */ (["trace", "traces"]),
  span: /** @type {Noun} */ (["span", "spans"]),
  error: /** @type {Noun} */ (["error", "errors"]),
  link: /** @type {Noun} */ (["link", "links"]),
  hop: /** @type {Noun} */ (["hop", "hops"]),
  line: /** @type {Noun} */ (["line", "lines"]),
  character: /** @type {Noun} */ (["character", "characters"]),
  export: /** @type {Noun} */ (["export", "exports"]),
  request: /** @type {Noun} */ (["request", "requests"]),
  service: /** @type {Noun} */ (["service", "services"]),
  group: /** @type {Noun} */ (["group", "groups"]),
  descendant: /** @type {Noun} */ (["descendant", "descendants"]),
  "other service": /** @type {Noun} */ (["other service", "other services"]),
  "other span": /** @type {Noun} */ (["other span", "other spans"]),
  fresh: /** @type {Noun} */ (["new", "new"]),
  found: /** @type {Noun} */ (["found", "found"]),
};

export const en = {
  /** A number with its noun. */
  count: (
    /** @type {number} */ number,
    /** @type {keyof typeof nouns} */ noun,
  ) => counted(number, nouns[noun]),
  loading: "Loading…",
  noName: "(no name)",
  noKey: "(no key)",
  blank: "(blank)",
  errors: "errors",
  noErrors: "no errors",
  service: "Service",
  operation: "Operation",
  duration: "Duration",
  status: "Status",
  outcome: "Outcome",
  close: "Close",
  noTraces: "No traces yet.",

  time: {
    now: "now",
    ago: (/** @type {string} */ time) => `${time} ago`,
    ahead: (/** @type {string} */ time) => `in ${time}`,
    date: (/** @type {Date} */ at) =>
      `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`,
    clock: (/** @type {Date} */ at) =>
      `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, "0")}`,
  },

  page: {
    title: (/** @type {string} */ view) => `${view} · Tracing-Tail`,
    skip: "Skip to content",
    views: "Views",
    traces: "Traces",
    map: "Map",
    tryIt: "Try it",
    held: "Stored traces",
    lost: "Exports that were answered 429 or 503, because they could not be stored; their senders may have sent them again",
    theme: "Switch between light and dark",
    language: "Language",
    help: "Keyboard shortcuts",
    keyboard: "Keyboard",
    turnedAway: (/** @type {string} */ exports, /** @type {string} */ since) =>
      `${exports} turned away since ${since}`,
    noAnswer: "the server does not answer",
    old: (/** @type {string} */ why) =>
      `What is shown may be old: ${why}. Trying again every few seconds.`,
    copied: (/** @type {string} */ what) => `${what} copied`,
    notCopied: (/** @type {string} */ text) =>
      `Copying is not possible here: ${text}`,
    copy: "Copy",
    done: "Copied",
    copyOf: (/** @type {string} */ what) => `Copy ${what}`,
    response: (/** @type {number} */ status) => `the response was ${status}`,
  },

  keys: {
    next: "next, previous",
    open: "open the trace; details of the span",
    fold: "collapse, expand",
    search: "query or search",
    back: "close details, back to the list",
    walk: "previous, next trace of the list",
    pause: "pause the list",
    help: "show this help",
  },

  list: {
    live: "Live",
    paused: "Paused",
    pause: "Pause",
    resume: "Resume",
    older: "Older traces",
    group: "Group",
    groupTitle: "Traces that went the same way become one row",
    deleteAll: "Delete all",
    confirmDelete: "Delete all traces?",
    deleted: "All traces are deleted",
    fresh: (/** @type {number} */ number) => `+${counted(number, nouns.fresh)}`,
    noMatch: "No trace matches these filters.",
    unroutedShown: "Requests without a route are listed too.",
    leaveOut: "Leave them out",
    leftOut: (/** @type {string} */ requests) =>
      `Left out: ${requests} without a route.`,
    listThem: "List them, too",
    badQuery: "The query was not understood.",
    lastGood: "Below is the last good result.",
    position: (/** @type {string} */ at, /** @type {string} */ total) =>
      `${at} of ${total}`,
    previous: "Previous trace",
    next: "Next trace",
    walk: "Traces of the list",
    width: "Width of the list",
    sortBy: "Sort the list by",
    started: "Started",
    trace: "Trace",
    services: "Services",
    spans: "Spans",
    errors: "Errors",
    sorted: (/** @type {string} */ column, /** @type {boolean} */ isDown) =>
      `${column}, sorted ${isDown ? "descending" : "ascending"}`,
    notSorted: (/** @type {string} */ column) => `${column}, not sorted by it`,
    newest: (/** @type {string} */ traces) => `the newest ${traces}`,
    withErrors: (/** @type {string} */ share) => `${share} with errors`,
  },

  row: {
    noRoot: "no root yet",
    noRootTitle: "The root span has not arrived",
    pinned: "pinned",
    pinnedTitle: "It is kept until it is unpinned",
    incomplete: "incomplete",
    incompleteTitle: (/** @type {string} */ spans) =>
      `${spans} of it could not be stored`,
    noStart: "None of its spans has a start",
    ok: "ok",
    in: "in",
    root: (/** @type {string} */ answer) => `The root: ${answer}`,
    rootOk: "it has no error itself",
    errorBegan: (/** @type {string} */ service) =>
      `the error began in ${service}`,
    more: (/** @type {string} */ number) => `and ${number} more`,
  },

  groups: {
    title: "Groups of traces",
    found: (/** @type {string} */ traces, /** @type {string} */ groups) =>
      `${traces} in ${groups}`,
    largest: (/** @type {string} */ number) =>
      `the ${number} largest are shown`,
    latest: (/** @type {string} */ ago) => `latest ${ago}`,
  },

  shape: {
    noRoot: "no root",
    from: "from",
    unknownService: "an unknown service",
  },

  scatter: {
    title: "Draw a region to filter by it; a point opens its trace",
    label: (/** @type {string} */ figures) => `Duration over time: ${figures}`,
    axes: "duration (log) over time",
    hint: "draw a region to filter",
    leftOut: (/** @type {string} */ number) =>
      `${number} without a place in time`,
    leftOutTitle:
      "Traces that have no start, or whose clock is more than a day ahead",
  },

  filters: {
    query: "Query",
    suggestions: "Suggestions",
    time: "Time",
    anyTime: "Any time",
    lastMinute: "Last minute",
    last5: "Last 5 minutes",
    last15: "Last 15 minutes",
    lastHour: "Last hour",
    lastDay: "Last day",
    range: "From – to",
    from: "From",
    to: "To",
    search: "Search",
    reset: "Reset",
    title: "Filters",
    remove: "Remove this filter",
    kind: "Kind",
    of: (/** @type {string} */ traces) => `Of ${traces}`,
    ofNewest: (/** @type {string} */ traces) => `Of the newest ${traces}`,
    others: "And others.",
    text: (/** @type {string} */ text) => `text ${text}`,
    service: (/** @type {string} */ name) => `service ${name}`,
    call: (/** @type {string} */ ends) => `call ${ends}`,
    onlyErrors: "errors only",
    shape: (/** @type {string} */ shape) => `only ${shape}`,
    unrouted: "requests without a route, too",
    character: (
      /** @type {number} */ position,
      /** @type {string} */ at,
      /** @type {string} */ reason,
    ) =>
      `Character ${position} (${at === "" ? "the end" : `“${at}”`}): ${reason}`,
  },

  empty: {
    title: "No traces yet. They appear here as they arrive.",
    sendOne: "Send a request",
    sendMany: "Send five a second",
    stop: "Stop sending",
    choose: "Choose what fails",
    answer: (/** @type {number} */ status) => `The last answer was ${status}.`,
    shop: "A whole shop, eleven services:",
    own: "Or send your own, with any OpenTelemetry exporter:",
    snippet: "Snippet",
  },

  tryIt: {
    lead: "Sends a request to this app, and opens the trace as soon as it arrives; with a report it stays here.",
    path: "Path",
    pathHint: "of a service of this app that takes requests from outside",
    payload: "Payload",
    payloadHint: "a JSON array of strings",
    faults: "Faults for one hop, of this request only",
    serviceHint: "* for every hop",
    errors: "Errors",
    errorsHint: "percent, or 503:100,429:1",
    latency: "Latency",
    latencyHint: "200ms, 50ms..250ms or p50:20ms,p99:900ms",
    telemetry: "Telemetry",
    telemetryHint: "what is wrong with its spans: span=lost, clock=-2s",
    repeatable: "Repeatable",
    seed: "Seed",
    seedHint: "the same seed gives the same delays and outcomes",
    report: "Ask for the report",
    send: "Send",
    sending: "Sending…",
    curl: "Copy as curl",
    asJson: "As JSON",
    open: "Open the trace",
    noTrace: "The response names no trace.",
    waiting: "Waiting for the trace…",
    notArrived:
      "The trace has not arrived: does OTLP_ENDPOINT name another receiver, or was the trace not sampled?",
    again: "Look again",
    noPath: (/** @type {string} */ path) =>
      `'${path}' is no path, such as /process`,
    noService: (/** @type {string} */ name) =>
      `'${name}' can't be named in baggage: use letters, digits, '-', '_' and '.'`,
  },

  report: {
    title: "Report",
    hops: "Hops",
    calls: "Calls",
    reason: "Reason",
    from: "From",
    to: "To",
    try: "Try",
    tryOf: (/** @type {number} */ number, /** @type {number} */ of) =>
      `${number} of ${of}`,
    leftOut: "Left out",
    noReport: (/** @type {string} */ hop) =>
      `${hop} sent no report: what it did is not listed.`,
    tooLarge: (
      /** @type {string} */ hop,
      /** @type {string} */ spans,
      /** @type {string} */ hops,
    ) =>
      `${hop}: ${spans} and ${hops} are not listed, because a report has at most 4 MiB.`,
  },

  trace: {
    back: "← Traces",
    waiting: "Waiting for the trace…",
    incomplete: (/** @type {string} */ spans) =>
      `incomplete: ${spans} could not be stored`,
    orphans: (/** @type {string} */ spans) => `${spans} still without a parent`,
    linksLeftOut: (/** @type {string} */ links) =>
      `${links} not shown where they lead`,
    skew: (/** @type {string} */ spans) => `clock skew on ${spans}`,
    query: "Query for the spans of this trace",
    find: "Find spans: status=error",
    found: (/** @type {number} */ number) => counted(number, nouns.found),
    foundBy: (/** @type {string} */ found, /** @type {string} */ query) =>
      `${found}, by ${query}`,
    cluster: (/** @type {string} */ spans) =>
      `${spans}, too short to be told apart: zoom in`,
    pin: "Pin",
    unpin: "Unpin",
    pinTitle: "A pinned trace is kept until it is unpinned",
    pinned: "The trace is kept until it is unpinned",
    unpinned: "The trace is no longer pinned",
    criticalPath: "Critical path",
    links: "Links",
    onlyCritical: "Critical path only",
    onlyCriticalTitle:
      "Leaves out the spans that the response did not wait for",
    more: "More",
    collapseAll: "Collapse all",
    expandAll: "Expand all",
    id: "Trace id",
    copyId: "Copy id",
    spans: "Spans",
    names: "Service and operation",
    namesWidth: "Width of the names",
    detailsWidth: "Width of the details",
    border: "Drag, or use the arrow keys; a double click resets it",
    collapse: (/** @type {string} */ descendants) => `Collapse ${descendants}`,
    expand: (/** @type {string} */ descendants) => `Expand ${descendants}`,
    eventAt: (/** @type {string} */ name, /** @type {string} */ time) =>
      `${name} at ${time}`,
    simulated: (/** @type {string} */ time) => `${time} simulated`,
    link: (
      /** @type {string} */ from,
      /** @type {string} */ to,
      /** @type {string} */ reason,
    ) => `Link from ${from} to ${to}${reason && ` (${reason})`}`,
  },

  shapes: {
    title: "Drawn as",
    timeline: "Timeline",
    timelineTitle: "Each span a row, with its name beside its bar (i)",
    icicle: "Icicle",
    icicleTitle: "Each span a box below its parent, the root on top (i)",
    mapTitle: "Its services, and who calls whom",
  },

  timeline: {
    minimap: "All of the trace in small",
    minimapTitle: "Drag to zoom, double-click for all",
    zoomIn: "Zoom in (+)",
    zoomOut: "Zoom out (-)",
    all: "All",
    allTitle: "All of the trace (0)",
  },

  summary: {
    slow: "Why it took so long",
    failed: "Why it failed",
    failedOnTheWay: "What failed on the way",
    rest: (/** @type {string} */ services) => `, ${services} the rest`,
    ofAll: (/** @type {string} */ time) =>
      ` of the ${time} that the response took`,
    goesOn: (/** @type {string} */ time) =>
      `; the trace goes on until ${time}.`,
    ownTime: (
      /** @type {string} */ own,
      /** @type {string} */ waited,
      /** @type {string} */ peer,
    ) => `${own} its own, ${waited} waiting for ${peer}`,
    besides: (/** @type {number} */ number) =>
      ` ${counted(number, nouns["other span"])} failed besides.`,
  },

  operations: {
    title: "Operations",
    spans: "Spans",
    errors: "Errors",
    own: "Own time",
    ownTitle: "Time in which no child ran, added up",
    critical: "Critical",
    criticalTitle: "Time that the response waited for it",
    total: "Total",
    totalTitle: "All durations, added up",
    go: "Go to the one that took the most time of its own",
    first: (/** @type {string} */ shown, /** @type {string} */ all) =>
      `The first ${shown} of ${all} are shown.`,
  },

  legend: {
    title: "Legend and keys",
    span: "a span, in the colour of its service",
    simulated: "hatched: simulated latency",
    failed: "a span with an error, which ✕ says too",
    critical: "on the critical path: the response waited for it",
    event: "an event",
    exception: "an exception",
    box: "icicle: a span, right above its children; those that run at the same time are stacked",
    cluster: "icicle: spans too short to be told apart; a click zooms in",
    curve: "a link of the span that is chosen or pointed at",
    hit: "a hit of the search; other rows are pale",
    below: "spans below it: shown, collapsed",
    collapsed: "so many collapsed spans",
    skew: "begins before its parent: clocks differ",
    otherTrace: "a link to another trace, and from one",
    peer: "whom it calls or writes to, and from whom it reads",
    status: "the status of the answer",
    again: "a call that was made again",
    noEnd: "sent without an end; also “no start”, “ends early”",
    parentMissing: "its parent has not arrived",
    cycle: "its parents lead back to itself",
    spanKeys: "next, previous span",
    fold: "collapse, expand",
    errors: "next, previous error",
    hits: "next, previous hit of the query",
    details: "details",
    zoom: "zoom in, out, all of the trace",
    shape: "timeline or icicle",
    zoomSpan: "zoom to the chosen span",
    move: "earlier, later, while zoomed",
    dragKey: "drag",
    drag: "over ruler or minimap zooms, over bars moves",
    wheelKey: "wheel",
    wheel: "zooms, as pinching does",
  },

  mapLegend: {
    service: "a service, in its colour",
    database: "a database",
    cache: "a cache",
    queue: "a queue or topic",
    external: "outside: a server that sends no spans",
    once: "a call or a message, once",
    thousand: "1,000 times: wider for each tenfold",
    few: "less than 1 % fail",
    some: "1 % or more fail",
    many: "5 % or more fail",
    quarter: "a quarter or more fail",
    failures: "the share of calls that failed",
    p95: "19 of 20 took no longer",
    nodes: "from node to node, once one has the focus",
    calls: "to the calls of the node",
    open: "what is behind it",
    zoom: "larger, smaller, all of the map",
    move: "moves the map, as dragging does",
  },

  span: {
    noStart: "no start",
    noStartTitle:
      "Sent without a start time: shown at the start of the trace, with no duration",
    noEnd: "no end",
    noEndTitle: "Sent without an end time: shown with no duration",
    endsEarly: "ends early",
    endsEarlyTitle: "Ends before it starts: shown with no duration",
    parentMissing: "parent missing",
    parentMissingTitle: (/** @type {string} */ parent) =>
      `Its parent ${parent} has not arrived`,
    cycle: "cycle cut",
    cycleTitle: "Its chain of parents leads back to itself",
    skewTitle: (/** @type {string} */ skew) =>
      `Clock skew: it starts ${skew} before its parent`,
    linksOut: "Links to another trace",
    linksIn: (/** @type {string} */ links) => `${links} from other traces`,
    try: (/** @type {number} */ number) => `try ${number}`,
    error: "error",
    simulated: "simulated latency",
  },

  details: {
    title: "Span",
    unnamed: (/** @type {string} */ id) => `Span ${id}`,
    close: "Close details",
    spanId: "Span id",
    parentId: "Parent id",
    traceId: "Trace id",
    traceState: "Trace state",
    attributes: "Attributes",
    events: "Events",
    links: "Links",
    linkedFrom: "Linked from",
    more: "and more",
    resource: "Resource",
    scope: "Scope",
    scopeName: "name",
    scopeVersion: "version",
    scopeSchema: "schema",
    noTarget: "no target: it was sent without ids",
    inAnother: " in another trace",
    notStored: ", which is not stored",
    another: ", another trace",
    dropped: "Dropped by the sender:",
    droppedParts: {
      attributes: "attributes",
      events: "events",
      links: "links",
    },
    unknownTime: "at an unknown time",
    filter: "Filter",
    filterTitle: (/** @type {string} */ key) => `Traces with this ${key}`,
    exclude: "Exclude",
    excludeTitle: (/** @type {string} */ key) => `Traces without this ${key}`,
  },

  peers: {
    service: "service",
    database: "database",
    cache: "cache",
    queue: "queue",
    rpc: "RPC",
    external: "outside",
  },

  map: {
    title: "Who calls whom",
    label: "Map: arrow keys go from node to node, Tab to its calls",
    zoom: "Zoom",
    fit: "Fit",
    fitTitle: "Fit all of the map (0)",
    from: (/** @type {string} */ traces, /** @type {string} */ time) =>
      `From the newest ${traces}, over ${time}. Choose a node or a call to see its traces.`,
    calls: (/** @type {string} */ caller, /** @type {string} */ callee) =>
      `${caller} calls ${callee}`,
    sends: (/** @type {string} */ caller, /** @type {string} */ queue) =>
      `${caller} sends to ${queue}`,
    reads: (/** @type {string} */ queue, /** @type {string} */ reader) =>
      `${queue} is read by ${reader}`,
    upTo: (/** @type {string} */ time) => `up to ${time}`,
    table: "Calls",
    columns: ["From", "To", "Calls", "Rate", "Errors", "p50", "p95", "p99"],
  },
};
