//! The messages about a lack of memory.

use std::fmt;

use super::MAX_INSTANCE_BYTES;

/// What a lack of memory has led to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MemoryReport {
    /// Lingering instances whose outbound requests were failed.
    pub evicted: usize,
    /// Instances that could not start.
    pub refused: usize,
    /// Times that an instance was refused more memory.
    pub too_large: usize,
}

impl fmt::Display for MemoryReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let MemoryReport {
            evicted,
            refused,
            too_large,
        } = *self;
        let mut clauses = Vec::new();
        if evicted + refused > 0 {
            clauses.push(format!(
                "there was no room (--max-memory, or open files): {evicted} instances that had sent all \
                 their responses were stopped early, {refused} could not start"
            ));
        }
        if too_large > 0 {
            let mebibytes = MAX_INSTANCE_BYTES >> 20;
            clauses.push(format!(
                "instances were refused more memory {too_large} times: one may take {mebibytes} MiB, as long as \
                 --max-memory has room for that"
            ));
        }
        f.write_str(&clauses.join("; "))
    }
}

/// No instance can start: instances that serve requests take all the memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetExhausted {
    /// The budget, in bytes.
    pub(super) limit: usize,
}

impl fmt::Display for BudgetExhausted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mebibytes = self.limit >> 20;
        write!(
            f,
            "instances that serve requests take all of the {mebibytes} MiB that --max-memory allows"
        )
    }
}

impl std::error::Error for BudgetExhausted {}
