//! Steady requests to the service, open loop: each request is sent on schedule, however slow earlier answers are.
//!
//! Pure:
//! - [`rate`]: the schedule, from a grammar of rates
//! - [`kind`]: the grammar of kinds of requests
//! - [`payload`]: the list that a request sends
//! - [`mix`]: a seeded choice among kinds by weight
//! - [`plan`]: the settings of a run
//! - [`target`]: the URL that requests go to
//! - [`compose`]: builds the n-th request
//! - [`stats`]: counts and percentiles
//! - [`report`]: the live line, the final table, and JSON
//!
//! With network and clock:
//! - [`client`]: sends one request over a bounded number of connections, and classifies failures
//! - [`engine`]: sends what is due, and hands each answer to a consumer
//! - [`run`]: the `traffic` command, and background traffic for `up`

pub mod client;
pub mod compose;
pub mod engine;
pub mod kind;
pub mod mix;
pub mod payload;
pub mod plan;
pub mod rate;
pub mod report;
pub mod run;
pub mod stats;
pub mod target;
