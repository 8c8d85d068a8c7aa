//! The same on the component that is built for WASI 0.2, but for what is about the repository's files
//! or the embedded host itself.
//!
//! Tests that say `reuses_instances` are about batches of several requests, which do not exist here.

#![allow(
    clippy::unwrap_used,
    unreachable_pub,
    missing_docs,
    reason = "test code: it may panic, and nobody imports it"
)]

mod bodies;
mod chain;
mod clock;
mod conformance;
mod context;
mod contract;
mod disabled;
mod encoding;
mod export;
mod fanout;
mod faults;
mod forgery;
mod limits;
mod nothing_lost;
mod origin;
mod pressure;
mod report;
mod retries;
mod secrets;
mod settings;
#[allow(dead_code, unused_imports, reason = "shared with the other suite")]
mod support;
