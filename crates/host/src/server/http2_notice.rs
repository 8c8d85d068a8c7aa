//! The line about clients that speak HTTP/2, as exporters of OTLP/gRPC do: few of them show why they were refused.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Made once for each server. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Http2Notice {
    hint: Arc<str>,
    given: Arc<AtomicBool>,
}

impl Http2Notice {
    /// A notice that ends with `hint`: what such a client can do instead.
    pub fn new(hint: &str) -> Http2Notice {
        Http2Notice {
            hint: hint.into(),
            given: Arc::default(),
        }
    }

    /// The notice of the server on `address`. None if it was given before.
    pub fn give(&self, address: SocketAddr) -> Option<String> {
        if self.given.swap(true, Ordering::Relaxed) {
            return None;
        }
        let notice = format!(
            "a client speaks HTTP/2, as gRPC does, to {address}, where only HTTP/1.1 is taken"
        );
        Some(match &*self.hint {
            "" => notice,
            hint => format!("{notice}: {hint}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_given_once() {
        let notice = Http2Notice::new("send it there");
        let address = SocketAddr::from(([127, 0, 0, 1], 3000));
        let given = notice.clone().give(address).unwrap_or_default();
        assert!(given.contains("to 127.0.0.1:3000"), "{given}");
        assert!(given.ends_with(": send it there"), "{given}");
        assert_eq!(notice.give(address), None);
        let without = Http2Notice::default().give(address).unwrap_or_default();
        assert!(without.ends_with("HTTP/1.1 is taken"), "{without}");
    }
}
