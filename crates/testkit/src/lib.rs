//! What the end-to-end tests and the benchmarks share.
//!
//! - [`app`] and [`launch`]: the application as a process: started, watched, stopped
//! - [`collector`] and [`span_record`]: an OTLP receiver that keeps what it is sent
//! - [`span_counter`]: an OTLP receiver that only counts, for load
//! - [`broken_collector`]: collectors that fail, each in one way
//! - [`middle_man`]: a pipeline that treats spans as a test tells it
//! - [`downstream`]: a downstream service that follows a script
//! - [`event_gate`]: a way to an application on which streams of events are counted and refused
//! - [`proxy`]: a proxy that loses headers
//! - [`span_tree`]: spans as a tree of text, to compare whole
//! - `browser` (feature `browser`): Chromium without a window
//! - [`wait`]: waiting for a condition, with a limit
//!
//! Every double listens on a port that the system picks, keeps it for as long as it lives, and stops when it is
//! dropped. The kit knows neither where the repository is nor which program it runs; its callers say so.

#![allow(
    clippy::unwrap_used,
    reason = "the kit is test code: whatever is unexpected fails the test with a panic"
)]

pub mod app;
pub mod broken_collector;
#[cfg(feature = "browser")]
pub mod browser;
pub mod collector;
pub mod downstream;
pub mod event_gate;
pub mod launch;
pub mod middle_man;
pub mod proxy;
mod server;
pub mod span_counter;
pub mod span_record;
pub mod span_tree;
pub mod wait;
