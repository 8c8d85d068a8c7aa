//! The database: what it holds, and how it gets in and out.
//!
//! - [`schema`]: the tables
//! - [`mod@write`]: exports into the database, in one transaction; `merge`: what a trace takes of them; [`stored`]: what
//!   has become of them
//! - [`group`]: the exports that wait in an instance, together
//! - [`trace`], [`pieces`], [`segments`], [`shared`], [`state`]: what is stored, table by table
//! - [`evict`]: which traces go when a bound is exceeded; [`retention`]: which stay longer
//! - [`memory`]: what an instance remembers of it
//! - [`keep`]: what is looked at and pinned; deleting all
//! - [`checkpoint`]: the size of the files
//! - [`read`], [`list`], [`spans`], [`export`]: what is answered; [`passing`]: what a filter lets through

pub mod actions;
mod bulk_insert;
pub mod cache;
pub mod checkpoint;
pub mod evict;
pub mod export;
pub mod graph;
pub mod group_commit;
pub mod limits;
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
