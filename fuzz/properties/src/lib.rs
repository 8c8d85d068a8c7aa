//! What must hold for each parser of untrusted input, whatever the input.
//!
//! A property is a function of bytes that panics if it does not hold. `fuzz/fuzz_targets` gives each to
//! libFuzzer; `tests/corpus.rs` replays the committed inputs, with a stable toolchain. [`TARGETS`] lists them.
//!
//! - Of a request: [`trace_context`], [`propagators`], [`baggage`], [`payload`]
//! - Of the service's environment: [`settings`], [`activities`], [`destinations`], [`telemetry_faults`],
//!   [`target_url`], [`retry_after`], [`collector_answer`]
//! - Of another service: [`report_lists`]
//! - Of the viewer: [`otlp_protobuf`], [`otlp_json`], [`viewer_intake`], [`viewer_query`], [`viewer_search`]
//! - Of the command line, with the feature `host`: `verify_report`, `backend_answer`
//! - Of the host, with the feature of this name: `topology`, `manifest`, `allowed_hosts`. Its socket has a
//!   program of its own, `examples/socket/main.rs`.
//!
//! Shared by all: [`memory`], and [`seam`], the calls whose signature may change.

pub mod activities;
pub mod baggage;
pub mod collector_answer;
pub mod destinations;
pub mod memory;
pub mod otlp_json;
pub mod otlp_protobuf;
pub mod payload;
pub mod propagators;
pub mod report_lists;
pub mod retry_after;
pub mod seam;
pub mod settings;
pub mod target_url;
pub mod telemetry_faults;
pub mod trace_context;
pub mod viewer_intake;
pub mod viewer_query;
pub mod viewer_search;

#[cfg(feature = "host")]
pub mod allowed_hosts;
#[cfg(feature = "host")]
pub mod backend_answer;
#[cfg(feature = "host")]
pub mod manifest;
#[cfg(feature = "host")]
pub mod topology;
#[cfg(feature = "host")]
pub mod verify_report;

mod secret;
mod shown;
mod viewer;

use memory::Bound;

/// A parser of untrusted input.
#[derive(Debug)]
pub struct Target {
    /// Its name: that of its module, of its program in `fuzz_targets` and of its folder in `corpus`.
    pub name: &'static str,
    /// Panics if the property does not hold for the input.
    pub property: fn(&[u8]),
    /// How much memory it may take, checks included.
    pub memory: Bound,
}

impl Target {
    /// Runs the property on an input.
    ///
    /// # Panics
    /// If the property does not hold, or takes more memory than the bound allows.
    pub fn check(&self, input: &[u8]) {
        let used = memory::peak(|| (self.property)(input));
        let most = self.memory.of(input.len());
        let (name, length) = (self.name, input.len());
        assert!(
            used <= most,
            "{name} takes {used} bytes of memory for {length} bytes, more than {most}"
        );
    }
}

/// All targets.
pub const TARGETS: &[&Target] = &[
    &trace_context::TARGET,
    &propagators::TARGET,
    &baggage::TARGET,
    &payload::TARGET,
    &settings::TARGET,
    &activities::TARGET,
    &destinations::TARGET,
    &telemetry_faults::TARGET,
    &target_url::TARGET,
    &retry_after::TARGET,
    &collector_answer::TARGET,
    &report_lists::TARGET,
    &otlp_protobuf::TARGET,
    &otlp_json::TARGET,
    &viewer_intake::TARGET,
    &viewer_query::TARGET,
    &viewer_search::TARGET,
    #[cfg(feature = "host")]
    &topology::TARGET,
    #[cfg(feature = "host")]
    &manifest::TARGET,
    #[cfg(feature = "host")]
    &allowed_hosts::TARGET,
    #[cfg(feature = "host")]
    &verify_report::TARGET,
    #[cfg(feature = "host")]
    &backend_answer::TARGET,
];

/// The lines of an input, followed by empty ones.
fn lines(input: &[u8]) -> impl Iterator<Item = &[u8]> {
    input.split(|byte| *byte == b'\n')
}

/// Percent-encodes all that is not a letter or a digit.
fn percent_encode(text: &str) -> String {
    let encode = |byte: u8| match byte.is_ascii_alphanumeric() {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}
