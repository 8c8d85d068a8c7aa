//! `allowed_outbound_hosts`: the hosts that a component may send requests to.
//!
//! Source: <https://spinframework.dev/v3/http-outbound>.

use http::Uri;
use url::Host;

mod entry;

pub use entry::Entry;

/// The hosts that a component may send requests to.
#[derive(Debug, Default)]
pub struct AllowedHosts(Vec<Entry>);

impl AllowedHosts {
    /// A list of entries.
    pub fn new(entries: Vec<Entry>) -> AllowedHosts {
        AllowedHosts(entries)
    }

    /// Whether a request to `uri` may leave.
    pub fn allow(&self, uri: &Uri) -> bool {
        let Some(host) = uri.host().and_then(|host| Host::parse(host).ok()) else {
            return false;
        };
        let scheme = uri.scheme_str().unwrap_or("https");
        let port = uri.port_u16();
        let mut entries = self.0.iter();
        entries.any(|entry| entry.allows(scheme, &host, port))
    }

    /// Whether a request to the application itself may leave.
    pub fn allow_self(&self) -> bool {
        self.0.iter().any(Entry::allows_self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(entry: &str, uri: &str) -> bool {
        AllowedHosts::new(vec![Entry::parse(entry).unwrap()]).allow(&uri.parse().unwrap())
    }

    #[test]
    fn matches_as_spin_does() {
        let table = [
            ("http://example.com", "http://example.com/x", true),
            ("http://example.com", "http://EXAMPLE.com:80/", true),
            ("HTTP://EXAMPLE.com", "http://example.com/", true),
            ("http://example.com/", "http://example.com/", true),
            ("http://example.com", "https://example.com/", false),
            ("http://example.com", "http://example.com:8080/", false),
            ("http://example.com:8080", "http://example.com:8080/", true),
            (
                "http://example.com:8000..8010",
                "http://example.com:8009/",
                true,
            ),
            (
                "http://example.com:8000..8010",
                "http://example.com:8010/",
                false,
            ),
            (
                "http://example.com:65535",
                "http://example.com:65535/",
                true,
            ),
            ("http://example.com:*", "http://example.com:1/", true),
            ("*://example.com:*", "https://example.com/", true),
            ("http://*.example.com", "http://a.b.example.com/", true),
            ("http://*.example.com", "http://example.com/", false),
            ("http://*:*", "http://anything:99/", true),
            ("http://127.0.0.1:*", "http://127.0.0.1:4318/", true),
            ("http://127.0.0.1:*", "http://localhost:4318/", false),
            ("http://[::1]:*", "http://[::1]:4318/", true),
            ("http://10.0.0.0/8", "http://10.1.2.3/", true),
            ("http://10.0.0.0/8:*", "http://10.1.2.3:99/", true),
            ("http://10.0.0.0/8", "http://11.1.2.3/", false),
            ("http://self", "http://example.com/", false),
            ("*://*:*", "http://[::1]/", true),
        ];
        for (entry, uri, allowed) in table {
            assert_eq!(allows(entry, uri), allowed, "{entry} and {uri}");
        }
    }

    #[test]
    fn self_is_its_own_rule() {
        let entry = |text| AllowedHosts::new(vec![Entry::parse(text).unwrap()]);
        assert!(entry("http://self").allow_self());
        assert!(entry("*://*:*").allow_self());
        assert!(!entry("http://example.com").allow_self());
    }
}
