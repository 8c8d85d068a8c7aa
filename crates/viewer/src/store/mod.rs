//! The database: what it holds, how spans get in, and how they are read.
//!
//! Tables:
//! - [`schema`]: the tables, and how older versions are replaced
//! - [`trace_row`], [`pieces`], [`segments`], [`shared`], [`links`], [`state`]: what each table holds
//!
//! Writing:
//! - [`group_commit`]: the exports that wait in an instance are written together
//! - [`mod@write`]: one transaction; `merge`: how new spans change a trace; [`limits`]: how much a trace may hold
//! - [`outcome`]: what was stored and what was rejected
//! - [`evict`]: which traces are deleted when a bound is exceeded; [`retention`]: which of them stay longer
//! - [`checkpoint`]: the size of the write-ahead log
//! - [`cache`]: what an instance remembers between transactions
//! - [`actions`]: viewing, pinning and deleting traces
//!
//! Reading:
//! - [`totals`], [`list`], [`graph`]: all traces; `graph_trace`: what one of them adds to the graph
//! - [`spans`], [`span_view`], [`export`]: one trace
//! - [`matching`]: the traces that match a filter; [`facets`]: what they have; [`groups`]: their shapes; `failure`: where their errors began

pub mod actions;
mod bulk_insert;
pub mod cache;
pub mod checkpoint;
pub mod evict;
pub mod export;
pub mod facets;
mod failure;
pub mod graph;
mod graph_trace;
pub mod group_commit;
pub mod groups;
pub mod limits;
pub mod link_bounds;
pub mod links;
pub mod list;
pub mod matching;
mod merge;
pub mod outcome;
pub mod pieces;
pub mod retention;
mod rows;
pub mod schema;
pub mod segments;
pub mod shared;
pub mod span_view;
pub mod spans;
pub mod state;
pub mod totals;
pub mod trace_row;
pub mod write;

#[cfg(test)]
pub(crate) mod tests;
