//! How many links to other traces are kept, and what each is charged.

/// The most rows of a trace. Its other links are found from their source only, and counted.
pub const MAX_LINKS_PER_TRACE: i64 = 4_096;
/// The size of a row, with the index of sources.
pub const LINK_BYTES: usize = 128;
