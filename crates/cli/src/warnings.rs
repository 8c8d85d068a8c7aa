//! The warnings of components: each instance prints its own, and the terminal has each of them once.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use tracing_tail::settings::WARNING;

/// How many warnings are remembered. Warnings beyond are printed each time.
const MAX_WARNINGS: usize = 256;

/// The warnings of components so far.
#[derive(Debug, Default)]
pub struct Warnings(Mutex<HashSet<(String, String)>>);

impl Warnings {
    /// Whether a line of a component's stderr is a warning that it has given before.
    pub fn is_repeated(&self, component: &str, line: &str) -> bool {
        if !line.starts_with(WARNING) {
            return false;
        }
        let warning = (component.to_owned(), line.to_owned());
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.contains(&warning) {
            return true;
        }
        if known.len() < MAX_WARNINGS {
            known.insert(warning);
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recognises_a_repeated_warning() {
        let warnings = Warnings::default();
        let table = [
            ("a", "warning: x", false),
            ("a", "warning: x", true),
            ("b", "warning: x", false),
            ("a", "warning: y", false),
            ("a", "x", false),
            ("a", "x", false),
        ];
        for (component, line, repeated) in table {
            assert_eq!(
                warnings.is_repeated(component, line),
                repeated,
                "{component} {line}"
            );
        }
    }

    #[test]
    fn remembers_a_bounded_number() {
        let warnings = Warnings::default();
        for number in 0..2 * MAX_WARNINGS {
            warnings.is_repeated("a", &format!("{WARNING}{number}"));
        }
        assert!(warnings.is_repeated("a", "warning: 0"));
        let beyond = format!("{WARNING}{}", 2 * MAX_WARNINGS - 1);
        assert!(!warnings.is_repeated("a", &beyond));
    }
}
