//! Proof that every span arrived: sends requests, and compares what a backend has with what the service reports.
//!
//! Spans
//! - [`attribute`]: the values of attributes
//! - [`span`]: a span as a backend returns it
//! - [`expected`]: a span as a report says it must be
//! - [`limits`]: what a backend by its nature does not keep
//! - [`backend`]: reads traces from backends

pub mod attribute;
pub mod backend;
pub mod expected;
pub mod limits;
pub mod span;
