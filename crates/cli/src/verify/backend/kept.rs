//! What each backend by its nature keeps, as seen through the API that is asked.

use super::super::limits::{AttributeTypes, Limits, Links, Part, ResourceAttributes};

/// Microseconds.
const MICROSECOND: u64 = 1000;

/// The built-in viewer.
pub(super) const VIEWER: Limits = Limits {
    keeps_copies: false,
    notes: &[
        "The viewer keeps a span once, so spans that arrive twice are not seen.",
        "The viewer refuses spans of more than 256 KiB, and those beyond 10,000 of a trace.",
        "The viewer keeps the latest 5,000 traces (APP_VIEWER_TRACES): a fast run pushes out its own first ones.",
    ],
    ..Limits::NONE
};

/// Jaeger's API version 3.
pub(super) const JAEGER: Limits = Limits::NONE;

/// Jaeger's older API.
pub(super) const JAEGER_OLDER: Limits = Limits {
    time_unit: MICROSECOND,
    links: Links::IdsOnly,
    hidden: &[Part::Flags],
    notes: &[
        "Jaeger's older API has times and durations in microseconds.",
        "Jaeger's older API has links as references, without attributes and flags.",
        "Jaeger's older API has lists and maps as text.",
    ],
    ..Limits::NONE
};

/// Tempo.
pub(super) const TEMPO: Limits = Limits {
    keeps_copies: false,
    notes: &[
        "Tempo keeps spans of the same id and kind once, so spans that arrive twice are not seen.",
        "Tempo gives a server's span a new id if its client's span has the same one.",
    ],
    ..Limits::NONE
};

/// Zipkin.
pub(super) const ZIPKIN: Limits = Limits {
    keeps_copies: false,
    time_unit: MICROSECOND,
    lower_case_names: true,
    attributes: AttributeTypes::Text,
    resource: ResourceAttributes::Mixed,
    links: Links::Lost,
    hidden: &[Part::Flags],
    notes: &[
        "Zipkin has times and durations in microseconds.",
        "Zipkin has names of spans and services in lower case.",
        "Zipkin has attributes as text, and those of the resource among those of the span: an attribute that was added is not noticed.",
        "Zipkin merges spans of the same id, so spans that arrive twice are not seen.",
        "Zipkin has no links; those that a Collector writes as tags are compared by --suite only.",
    ],
};

/// Arize Phoenix.
pub(super) const PHOENIX: Limits = Limits {
    keeps_copies: false,
    time_unit: MICROSECOND,
    links: Links::Lost,
    hidden: &[
        Part::Flags,
        Part::TraceState,
        Part::Links,
        Part::Kind,
        Part::Resource,
        Part::Scope,
    ],
    notes: &[
        "Phoenix has times in microseconds.",
        "Phoenix has no field for links, flags, tracestate, kinds, scopes and resources, neither in its API nor in its database.",
        "Phoenix makes maps of keys with dots; here they are keys again, and maps that were sent are too.",
        "Phoenix keeps a span id once, whatever its trace, so spans that arrive twice are not seen.",
    ],
    ..Limits::NONE
};

/// otel-desktop-viewer.
pub(super) const DESKTOP_VIEWER: Limits = Limits {
    keeps_copies: false,
    hidden: &[Part::Flags],
    notes: &[
        "otel-desktop-viewer has no field for flags, neither in its API nor in its database.",
        "otel-desktop-viewer has bytes and maps as text.",
        "otel-desktop-viewer keeps a span id once, whatever its trace, so spans that arrive twice are not seen.",
        "otel-desktop-viewer counts spans that are their own ancestors, but does not show them.",
    ],
    ..Limits::NONE
};

/// Files of OTLP JSON lines.
pub(super) const FILES: Limits = Limits::NONE;
