//! Proof that every span arrived: sends requests, and compares what a backend has with what the service reports.
//!
//! Spans
//! - [`attribute`]: the values of attributes
//! - [`span`]: a span as a backend returns it
//! - [`expected`]: a span as a report says it must be
//! - [`report`]: reads a report
//! - [`messages`]: which messages must be processed, and which were
//! - [`limits`]: what a backend by its nature does not keep
//!
//! Comparison
//! - [`compare`]: the spans of one request
//! - [`sampling`]: which traces a sampler may leave out
//! - [`findings`]: all requests added up
//! - [`reasons`]: why spans are missing, as far as it can be known
//! - [`delays`]: how long until a trace can be read
//!
//! With network and clock
//! - [`backend`]: reads traces from backends
//! - [`exchange`]: what an answer says, and the line that sends a request again
//! - [`sending`]: takes reports in
//! - [`watch`]: asks a backend until everything is there
//! - [`run`]: the `verify` command
//! - [`suite`]: what backends keep, with spans of its own
//!
//! Output
//! - [`outcome`]: the verdict and the exit status
//! - [`text`], [`json`], [`junit`]: the outcome as text, as JSON and as JUnit's XML
//! - [`quote`]: values in messages

pub mod attribute;
pub mod backend;
pub mod compare;
pub mod delays;
pub mod exchange;
pub mod expected;
pub mod findings;
pub mod json;
pub mod junit;
pub mod limits;
pub mod messages;
pub mod outcome;
pub mod quote;
pub mod reasons;
pub mod report;
pub mod run;
pub mod sampling;
pub mod sending;
pub mod span;
pub mod suite;
pub mod text;
pub mod watch;

#[cfg(test)]
mod fixtures;
