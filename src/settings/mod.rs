//! Every setting: its environment name, its default, and what it accepts.
//!
//! Takes the values as text, wherever they come from; refuses the malformed ones, each with a sentence that names
//! the setting. A refused setting falls back to its default, so that the request that is answered with the
//! refusal can still be traced. A malformed `OTEL_*` setting does not make requests fail: it is ignored with a
//! warning (OpenTelemetry's "Environment Variable Specification").
//!
//! - [`Setting`] and [`SETTINGS`]: the table of names and defaults
//! - [`Values`]: the values, and which of them are read
//! - [`Host`]: the kind of host, which settings depend on
//! - [`Config`]: what they mean
//! - `activities`: the grammar of leaves and steps
//! - [`endpoints`]: which setting says where spans go
//! - [`text`]: durations, percentages and pairs in a value

use std::time::Duration;

use http::HeaderMap;
use opentelemetry_otlp::{Compression, Protocol};

use crate::downstream::Downstream;
use crate::messaging::queue::Queues;
use crate::retry::RetryPolicy;
use crate::simulate::Simulation;
use crate::simulate::activity::Activity;
use crate::target::Target;
use crate::telemetry::propagation::Propagators;
use crate::telemetry::sampling::Sampling;

mod activities;
mod destinations;
mod endpoint;
mod entry;
mod host;
mod parse;
mod read;
mod table;
#[cfg(test)]
mod tests;
pub mod text;
mod values;

pub use activities::{LEAF_KEYS, STEP_KEYS};
pub use destinations::QUEUE_KEYS;
pub use endpoint::endpoints;
pub use host::Host;
pub use table::*;
pub use values::{Value, Values};

/// The configuration of the service.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The service's name.
    pub name: String,
    /// The services to call, in order.
    pub downstreams: Vec<Downstream>,
    /// The queues to publish to.
    pub queues: Queues,
    /// Simulated latency and failures.
    pub simulation: Simulation,
    /// The stores and outside APIs whose calls are simulated.
    pub leaves: Vec<Activity>,
    /// The work inside the service.
    pub steps: Vec<Activity>,
    /// How many spans of leaves and steps one request makes at most.
    pub max_spans: usize,
    /// How many bytes a span is filled with at most.
    pub max_span_bytes: usize,
    /// How the downstreams are called.
    pub fanout: Fanout,
    /// The limit of one attempt of a downstream call, from the first byte sent to the last received,
    /// and of all waits between its attempts.
    pub timeout: Duration,
    /// When a failed downstream call is retried.
    pub retries: RetryPolicy,
    /// How many calls in a row a request may lead to.
    pub max_hops: u64,
    /// Whether the headers of a proxy in front of the service are trusted.
    pub trusts_proxy: bool,
    /// The HTTP methods that spans name, comma separated; empty for those of the conventions.
    pub known_methods: String,
    /// Where spans are sent; `None` if the setting is malformed.
    pub otlp_endpoint: Option<Target>,
    /// Whether the app has the viewer's page: its spans go to the app's own viewer.
    pub has_page: bool,
    /// How spans are sent.
    pub export: ExporterConfig,
    /// Attributes of the resource, in addition to those that the service sets itself.
    pub resource_attributes: Vec<(String, String)>,
    /// The formats in which contexts are read and sent.
    pub propagators: Propagators,
    /// Which traces are recorded.
    pub sampling: Sampling,
    /// How ended spans are batched.
    pub batching: BatchConfig,
    /// Whether no spans are created at all.
    pub sdk_disabled: bool,
}

/// How the downstreams of a request are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fanout {
    /// One after the other, each with the list that the one before returned.
    Sequential,
    /// All at once, each with the same list.
    Parallel,
}

/// How batches of spans are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExporterConfig {
    /// Headers of each export.
    pub headers: HeaderMap,
    /// How spans are encoded: `HttpBinary` or `HttpJson`.
    pub protocol: Protocol,
    /// How the encoded spans are compressed, if at all: `Gzip`.
    pub compression: Option<Compression>,
    /// The limit of one export.
    pub timeout: Duration,
}

/// The batch span processor's settings, named as in the OpenTelemetry SDK specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchConfig {
    /// How long the first span of a batch waits for more spans, at most [`MAX_SCHEDULE_DELAY`].
    pub schedule_delay: Duration,
    /// How many ended spans are held; further ones are dropped.
    pub max_queue_size: usize,
    /// How many spans one export carries.
    pub max_export_batch_size: usize,
}

/// The upper limit of `OTEL_BSP_SCHEDULE_DELAY`: a host that shuts down gives tasks five seconds, and has no way
/// to announce it.
pub const MAX_SCHEDULE_DELAY: Duration = Duration::from_secs(4);

/// What is wrong with the settings, one sentence for each that is malformed:
/// `APP_ERRORS: 'abc' is not a percentage from 0 to 100`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problems {
    /// Problems that make every request fail.
    pub refused: Vec<String>,
    /// Problems of `OTEL_*` settings, which have their default instead.
    pub ignored: Vec<String>,
}

/// The beginning of a line on stderr about [`Problems::ignored`]. Each instance writes its own.
pub const WARNING: &str = "warning: ";
