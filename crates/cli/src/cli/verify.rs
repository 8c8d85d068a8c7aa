//! The arguments of `verify`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::requests::Requests;
use super::suite::Suite;
use crate::traffic::rate::parse_time;
use crate::verify::sampling::{Keep, parse_keep, parse_share};

/// The largest number of requests.
const MAX_REQUESTS: u64 = 1_000_000;

/// What follows the options in the help.
pub const EXAMPLES: &str = r#"A backend is one of:
  http://127.0.0.1:3000/traces          the viewer of this program
  http://127.0.0.1:16686                Jaeger, Tempo, Zipkin, Phoenix or otel-desktop-viewer: it is asked which
  jaeger+http://…, tempo+http://…, zipkin+http://…, phoenix+http://…, odv+http://…, viewer+http://…
  traces.jsonl                          a file or folder of the OpenTelemetry Collector's file exporter
TRACING_TAIL_BACKEND_HEADERS='name=value,…' sends headers to it, as --header does.

Exit status: 0 if everything arrived, 1 if not, 2 if it could not be judged.

  tracing-tail verify --backend http://127.0.0.1:16686
  tracing-tail verify https://shop.example/process --for 10m --rate 5/s --backend tempo+https://tempo.example
  tracing-tail verify --backend http://127.0.0.1:9411 --mix '1 baggage tail.*.errors=50' --sampled 10% --sampled-keep errors"#;

/// The arguments of `verify`.
#[derive(Debug, Args)]
pub struct Verify {
    /// The requests.
    #[command(flatten)]
    pub sending: Requests,
    /// Where the spans must arrive, see below
    // Parsed later: clap would show a malformed one with its password.
    #[arg(
        long,
        value_name = "BACKEND",
        required_unless_present = "suite",
        default_value = "",
        hide_default_value = true
    )]
    pub backend: String,
    /// How many requests to send, if not for a time [default: 100]
    #[arg(long, value_name = "NUMBER", conflicts_with = "duration", value_parser = clap::value_parser!(u64).range(1..=MAX_REQUESTS))]
    pub requests: Option<u64>,
    /// How long after the last request spans may still arrive
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = parse_time)]
    pub patience: Duration,
    /// A header for the backend, such as 'authorization: Bearer …'; may be repeated
    #[arg(long, value_name = "NAME: VALUE")]
    pub header: Vec<String>,
    /// The share of traces that a sampler on the way keeps, such as 10%
    #[arg(long, value_name = "PERCENT", value_parser = parse_share)]
    pub sampled: Option<f64>,
    /// Traces that the sampler must keep whatever the share
    #[arg(long, value_name = "WHICH", value_parser = parse_keep, requires = "sampled")]
    pub sampled_keep: Option<Keep>,
    /// How many missing and altered spans to show
    #[arg(long, value_name = "NUMBER", default_value_t = 20)]
    pub show: usize,
    /// Print one line of JSON instead of text
    #[arg(long)]
    pub json: bool,
    /// Write the result as JUnit XML, too
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// The other mode.
    #[command(flatten)]
    pub suite: Suite,
}
