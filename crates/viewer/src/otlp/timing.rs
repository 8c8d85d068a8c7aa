//! When a span started and ended.

/// The start and end of a span, as they are shown everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// Nanoseconds since 1970, or 0 if unknown.
    pub start: i64,
    /// Nanoseconds since 1970, never before the start.
    pub end: i64,
    /// What is wrong with the times, if anything: `no_start`, `no_end`, `end_before_start`.
    pub fault: Option<&'static str>,
}

impl Timing {
    /// The timing of a span with these times. None if one is after the year 2262. A span whose start or end is unknown or
    /// impossible takes no time.
    ///
    /// ```
    /// use tracing_tail_viewer::otlp::timing::Timing;
    ///
    /// let timing = Timing::of(5, 4).unwrap();
    /// assert_eq!((timing.end, timing.fault), (5, Some("end_before_start")));
    /// ```
    pub fn of(start: u64, end: u64) -> Option<Timing> {
        let start = i64::try_from(start).ok()?;
        let end = i64::try_from(end).ok()?;
        let fault = match (start, end) {
            (0, _) => Some("no_start"),
            (_, 0) => Some("no_end"),
            _ => (end < start).then_some("end_before_start"),
        };
        Some(Timing {
            start,
            end: if fault.is_some() { start } else { end },
            fault,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_with_impossible_times_takes_none() {
        let year_2262 = i64::MAX.cast_unsigned();
        let table = [
            ((5, 9), Some((5, 9, None))),
            ((5, 5), Some((5, 5, None))),
            ((5, 4), Some((5, 5, Some("end_before_start")))),
            ((5, 0), Some((5, 5, Some("no_end")))),
            ((0, 9), Some((0, 0, Some("no_start")))),
            ((0, 0), Some((0, 0, Some("no_start")))),
            ((1, year_2262), Some((1, i64::MAX, None))),
            ((1, year_2262 + 1), None),
        ];
        for ((start, end), expected) in table {
            let found = Timing::of(start, end);
            let found = found.map(|found| (found.start, found.end, found.fault));
            assert_eq!(found, expected, "{start} {end}");
        }
    }
}
