//! Batches on their way to the collector.

pub(crate) mod batches;
pub(crate) mod contents;
pub(crate) mod failures;
pub(crate) mod shutdown;
