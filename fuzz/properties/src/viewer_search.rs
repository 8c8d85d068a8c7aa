//! The viewer's query language. The input: a query.
//!
//! Whatever is accepted is bounded, and means the same with spaces around it. A refusal names a character of the query,
//! or the one after the last, and has a reason.

use tracing_tail_viewer::filter::{MAX_QUERY, MAX_TERMS, Query};

use crate::Target;
use crate::memory::Bound;

/// See the module.
pub const TARGET: Target = Target {
    name: "viewer_search",
    property,
    memory: Bound {
        constant: 16 << 10,
        per_byte: 256,
    },
};

fn property(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let length = text.chars().count();
    match Query::parse(text) {
        Ok(query) => {
            assert!(length <= MAX_QUERY && query.terms.len() <= MAX_TERMS);
            if length + 2 <= MAX_QUERY {
                let spaced = format!(" {text} ");
                assert_eq!(Query::parse(&spaced), Ok(query), "{text:?}");
            }
        }
        Err(error) => {
            assert!((1..=length + 1).contains(&error.position), "{error}");
            assert!(!error.reason.is_empty());
            assert!(error.to_string().starts_with("q: character "), "{error}");
        }
    }
}
