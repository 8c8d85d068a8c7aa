//! End to end: the compiled component in the embedded host, or in the Spin that `TRACING_TAIL_SPIN` names.
//!
//! Everything here is seen from outside: HTTP, the manifest, the collector, the terminal.

#![allow(
    clippy::unwrap_used,
    unreachable_pub,
    missing_docs,
    reason = "test code: it may panic, and nobody imports it"
)]

mod bodies;
mod browser;
mod chain;
mod clock;
mod components;
mod conformance;
mod context;
mod contract;
mod deploy;
mod disabled;
mod documents;
mod embedded_host;
mod encoding;
mod export;
mod fanout;
mod faults;
mod forgery;
mod limits;
mod mesh;
mod nothing_lost;
mod origin;
mod pressure;
mod raw_http;
mod report;
mod retries;
mod secrets;
mod security;
mod settings;
mod support;
mod traffic;
mod unruly;
mod viewer;
