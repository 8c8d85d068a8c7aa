//! How much memory a property takes.

use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// The maximum of bytes allocated at a time, by the length of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    /// Whatever the input is.
    pub constant: usize,
    /// For each of its bytes.
    pub per_byte: usize,
}

impl Bound {
    /// The bound for an input of so many bytes.
    pub fn of(self, length: usize) -> usize {
        self.constant + self.per_byte * length
    }
}

/// The peak of bytes allocated while `run` runs, by all threads, beyond those allocated before.
pub fn peak(run: impl FnOnce()) -> usize {
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    run();
    ALLOCATOR.peak_usage().saturating_sub(before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_what_is_there_at_a_time_and_not_what_is_there_one_after_the_other() {
        let one_after_the_other = || {
            for _ in 0..10 {
                std::hint::black_box(vec![0_u8; 1 << 20]);
            }
        };
        let used = peak(one_after_the_other);
        assert!((1 << 20..2 << 20).contains(&used), "{used}");
    }
}
