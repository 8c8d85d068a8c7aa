//! What backends keep, lose and alter of what OTLP allows: sends traces of its own, reads them back, and compares.
//!
//! What is checked, pure
//! - [`draft`]: spans to send, with ids and times
//! - [`check`]: what a check sends, and how its rows are judged
//! - [`checks`]: the checks
//! - [`judge`]: compares fields of two spans
//! - [`verdict`]: kept, altered, lost
//!
//! With network and clock
//! - [`subject`]: a backend, and where it takes spans
//! - [`encode`]: spans as OTLP
//! - [`export`]: sends OTLP, and classifies the answers
//! - [`probe`]: sends the steps of a check, and reads the trace back
//! - [`figures`], [`ramp`]: the large trace, the time until readable, and the speed
//! - [`run`]: the command
//!
//! Output
//! - [`results`]: the columns, and the notes of their cells
//! - [`table`]: the results as text and as JSON
//! - [`markdown`]: the results as a page

pub mod check;
pub mod checks;
pub mod draft;
pub mod encode;
pub mod export;
pub mod figures;
pub mod judge;
pub mod markdown;
pub mod probe;
pub mod ramp;
pub mod results;
pub mod run;
pub mod subject;
pub mod table;
pub mod verdict;
