//! Medians, and ratios of values from the same round.

/// The median; NaN if there is no value.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        length if length % 2 == 1 => values[length / 2],
        length => f64::midpoint(values[length / 2 - 1], values[length / 2]),
    }
}

/// The median of the ratios of values from the same round.
pub fn ratio(values: impl IntoIterator<Item = f64>, others: impl IntoIterator<Item = f64>) -> f64 {
    median(
        values
            .into_iter()
            .zip(others)
            .map(|(value, other)| value / other),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_are_in_the_middle() {
        assert!(median([]).is_nan());
        assert_eq!(median([3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median([4.0, 1.0, 2.0, 3.0]), 2.5);
    }

    #[test]
    fn ratios_are_taken_within_rounds() {
        // The machine was four times slower in the second round.
        assert_eq!(ratio([90.0, 18.0, 95.0], [100.0, 20.0, 100.0]), 0.9);
    }
}
