//! Steady requests to the service, open loop: each is sent at its time, whatever became of those before it.
//!
//! Pure, functions of values:
//! - [`rate`]: how many requests are due when
//! - [`mix`]: the kinds of requests, and which of them the n-th one is
//! - [`target`]: where they go
//! - [`compose`]: the n-th request as it is sent
//! - [`plan`]: all that a run is told
//! - [`stats`]: what became of them, added up
//! - [`report`]: the table, the live line and the JSON of that
//!
//! With the network and the clock:
//! - [`client`]: one request over a bounded number of connections, and what it fails with
//! - [`engine`]: sends what is due, and hands on each answer
//! - [`run`]: the command `traffic`, and the same beside an application

pub mod client;
pub mod compose;
pub mod engine;
pub mod mix;
pub mod plan;
pub mod rate;
pub mod report;
pub mod run;
pub mod stats;
pub mod target;
