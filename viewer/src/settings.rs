//! What may be kept, from the component's variables.

/// The setting of [`Bounds::traces`]: its environment name and its default.
pub const TRACES: (&str, &str) = ("APP_VIEWER_TRACES", "5000");
/// The setting of [`Bounds::bytes`]: its environment name and its default.
pub const BYTES: (&str, &str) = ("APP_VIEWER_BYTES", "67108864");

/// How much is kept; beyond it the oldest traces go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Traces.
    pub traces: i64,
    /// Bytes of spans and their indexed attributes, all traces together.
    pub bytes: i64,
}

impl Bounds {
    /// Reads both settings; an empty one has its default.
    ///
    /// # Errors
    /// A sentence with the setting, the value, and what is accepted.
    pub fn read(traces: &str, bytes: &str) -> Result<Bounds, String> {
        Ok(Bounds {
            traces: number(TRACES, traces, 1_000_000)?,
            bytes: number(BYTES, bytes, 1 << 40)?,
        })
    }
}

fn number((name, default): (&str, &str), text: &str, most: i64) -> Result<i64, String> {
    let text = text.trim();
    let text = if text.is_empty() { default } else { text };
    match text.parse() {
        Ok(number) if (1..=most).contains(&number) => Ok(number),
        _ => Err(format!("{name}: '{text}' is not a number from 1 to {most}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_numbers_and_names_what_is_none() {
        let bounds = |traces, bytes| Bounds { traces, bytes };
        assert_eq!(Bounds::read("", " "), Ok(bounds(5_000, 64 << 20)));
        assert_eq!(Bounds::read("7", "1000"), Ok(bounds(7, 1_000)));
        assert_eq!(
            Bounds::read("0", ""),
            Err("APP_VIEWER_TRACES: '0' is not a number from 1 to 1000000".to_owned())
        );
        assert!(Bounds::read("", "64MiB").unwrap_err().contains("'64MiB'"));
    }
}
