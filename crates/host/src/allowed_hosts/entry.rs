//! One entry of `allowed_outbound_hosts`: `scheme://host[:port]`, with wildcards.
//!
//! It refuses entries without a scheme or a host, with a path, a user name or a password, and ports that are no
//! number.

use std::net::IpAddr;
use std::ops::Range;

use anyhow::{Result, anyhow, bail};
use ipnet::IpNet;
use tracing_tail_redact::redact;
use url::Host;

/// One entry of the list: a scheme, a host and its ports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    scheme: Option<String>,
    host: HostRule,
    port: PortRule,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum HostRule {
    Any,
    ToSelf,
    Subdomain(String),
    Exactly(Host),
    Network(IpNet),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum PortRule {
    Any,
    Within(Range<u16>),
}

/// Allowed everything in Spin 1.
const ALLOW_ALL: &str = "insecure:allow-all";

impl Entry {
    /// Parses an entry.
    ///
    /// # Errors
    /// If it is malformed. The message has the entry without its secrets, and what is accepted.
    ///
    /// ```
    /// use tracing_tail_host::allowed_hosts::{AllowedHosts, Entry};
    ///
    /// let hosts = AllowedHosts::new(vec![Entry::parse("http://*.example.com:8080")?]);
    /// assert!(hosts.allow(&"http://api.example.com:8080/v1".parse()?));
    /// assert!(!hosts.allow(&"http://example.org:8080/v1".parse()?));
    /// # Ok::<(), anyhow::Error>(())
    /// ```
    pub fn parse(text: &str) -> Result<Entry> {
        read(text.trim()).map_err(|problem| {
            let shown = match text.trim() {
                ALLOW_ALL => ALLOW_ALL.to_owned(),
                other => redact(other),
            };
            anyhow!("'{shown}' is no allowed outbound host: {problem}; write scheme://host[:port], such as http://*.example.com:8080")
        })
    }

    /// Parses the text of a rendered template: none if its variable is empty.
    ///
    /// # Errors
    /// As [`Entry::parse`].
    pub fn parse_rendered(text: &str) -> Result<Option<Entry>> {
        match text.trim() {
            "" | "http://" | "https://" => Ok(None),
            entry => Entry::parse(entry).map(Some),
        }
    }

    /// Whether it allows a host with this scheme and port.
    pub(super) fn allows(&self, scheme: &str, host: &Host, port: Option<u16>) -> bool {
        let port = port.or_else(|| default_port(scheme));
        self.allows_scheme(scheme) && self.host.allows(host) && self.port.allows(port)
    }

    /// Whether it allows the application itself.
    pub(super) fn allows_self(&self) -> bool {
        matches!(self.host, HostRule::Any | HostRule::ToSelf)
            && (self.allows_scheme("http") || self.allows_scheme("https"))
    }

    fn allows_scheme(&self, scheme: &str) -> bool {
        self.scheme
            .as_deref()
            .is_none_or(|allowed| allowed == scheme)
    }
}

fn read(text: &str) -> Result<Entry> {
    if text == ALLOW_ALL {
        bail!("to allow everything write *://*:*");
    }
    if text.contains('@') {
        bail!("it must not have a user name or a password");
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        bail!("it has no scheme")
    };
    if scheme != "*" && (scheme.is_empty() || !scheme.chars().all(char::is_alphabetic)) {
        bail!("the scheme has to be letters, or *");
    }
    // Parsed URLs have their scheme in lower case.
    let scheme = scheme.to_ascii_lowercase();
    let scheme = scheme.as_str();
    if let Ok(host) = read_host(rest) {
        return Ok(Entry {
            scheme: any_or(scheme),
            host,
            port: read_port("", scheme)?,
        });
    }
    let (host, port) = rest.rsplit_once(':').unwrap_or((rest, ""));
    let port = port.strip_suffix('/').unwrap_or(port);
    if port.contains('/') {
        bail!("it must not have a path");
    }
    Ok(Entry {
        scheme: any_or(scheme),
        host: read_host(host)?,
        port: read_port(port, scheme)?,
    })
}

fn any_or(scheme: &str) -> Option<String> {
    (scheme != "*").then(|| scheme.to_owned())
}

fn read_host(text: &str) -> Result<HostRule> {
    if let Ok(network) = text.parse::<IpNet>() {
        return Ok(HostRule::Network(network.trunc()));
    }
    let text = text.strip_suffix('/').unwrap_or(text);
    match text {
        "*" => return Ok(HostRule::Any),
        "self" | "self.alt" => return Ok(HostRule::ToSelf),
        "" => bail!("it has no host"),
        _ if text.contains('/') => bail!("it must not have a path"),
        _ => {}
    }
    let (wildcard, domain) = match text.strip_prefix("*.") {
        Some(domain) => (true, domain),
        None => (false, text),
    };
    if domain.contains('*') {
        bail!("a wildcard stands for the host, or for what is before its first dot");
    }
    match Host::parse(domain).map_err(|problem| anyhow!("its host is malformed ({problem})"))? {
        Host::Domain(domain) if wildcard => Ok(HostRule::Subdomain(format!(".{domain}"))),
        _ if wildcard => bail!("a wildcard goes before a domain, not before an address"),
        host => Ok(HostRule::Exactly(host)),
    }
}

fn read_port(text: &str, scheme: &str) -> Result<PortRule> {
    let number = |text: &str| {
        text.parse::<u16>()
            .map_err(|_| anyhow!("its port is no number up to 65535"))
    };
    if text == "*" {
        return Ok(PortRule::Any);
    }
    if text.is_empty() {
        let port = default_port(scheme)
            .ok_or_else(|| anyhow!("it has no port, and the scheme '{scheme}' has no usual one"))?;
        return Ok(PortRule::Within(port..port + 1));
    }
    match text.split_once("..") {
        // Spin's ranges exclude their end.
        Some((start, end)) => Ok(PortRule::Within(number(start)?..number(end)?)),
        None => {
            let port = number(text)?;
            Ok(PortRule::Within(port..port.saturating_add(1)))
        }
    }
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        "redis" => Some(6379),
        "mqtt" => Some(1883),
        "mysql" => Some(3306),
        "postgres" => Some(5432),
        _ => None,
    }
}

impl HostRule {
    fn allows(&self, host: &Host) -> bool {
        match (self, host) {
            (HostRule::Any, _) => true,
            (HostRule::Subdomain(suffix), Host::Domain(domain)) => domain.ends_with(suffix),
            (HostRule::Exactly(allowed), host) => allowed == host,
            (HostRule::Network(network), Host::Ipv4(ip)) => network.contains(&IpAddr::V4(*ip)),
            (HostRule::Network(network), Host::Ipv6(ip)) => network.contains(&IpAddr::V6(*ip)),
            _ => false,
        }
    }
}

impl PortRule {
    fn allows(&self, port: Option<u16>) -> bool {
        match self {
            PortRule::Any => true,
            // 65535 is the one port that a half-open range of u16 can't hold.
            PortRule::Within(range) => port.is_some_and(|port| {
                range.contains(&port) || (port == u16::MAX && range.start == port)
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_no_port_that_may_be_a_password() {
        let error = Entry::parse("http://example.com:x")
            .unwrap_err()
            .to_string();
        let expected = "'http://example.com:REDACTED' is no allowed outbound host: its port is no number up to 65535;";
        assert!(error.starts_with(expected), "{error}");
    }

    #[test]
    fn names_what_it_refuses() {
        let table = [
            ("example.com", "it has no scheme"),
            ("*", "it has no scheme"),
            ("insecure:allow-all", "to allow everything write *://*:*"),
            ("ht2p://example.com", "the scheme has to be letters, or *"),
            ("http://example.com/path", "it must not have a path"),
            ("http://example.com:80/path", "it must not have a path"),
            ("http://", "it has no host"),
            (
                "http://a.*.com",
                "a wildcard stands for the host, or for what is before its first dot",
            ),
            (
                "http://*.127.0.0.1",
                "a wildcard goes before a domain, not before an address",
            ),
            (
                "http://example.com:70000",
                "its port is no number up to 65535",
            ),
            (
                "ws://example.com",
                "it has no port, and the scheme 'ws' has no usual one",
            ),
        ];
        for (entry, problem) in table {
            let error = Entry::parse(entry).unwrap_err().to_string();
            assert!(
                error.starts_with(&format!(
                    "'{entry}' is no allowed outbound host: {problem};"
                )),
                "{error}"
            );
        }
    }

    #[test]
    fn quotes_no_credentials() {
        for (entry, shown) in [
            ("http://user:pw@host", "http://REDACTED:REDACTED@host"),
            ("http://user:p/w@host", "REDACTED"),
            ("http://user:p#w@host:80", "REDACTED"),
            ("*://user:pw@host:*", "REDACTED"),
            ("user:pw@host", "REDACTED:REDACTED@host"),
        ] {
            let problem = "it must not have a user name or a password";
            let error = Entry::parse(entry).unwrap_err().to_string();
            let expected = format!("'{shown}' is no allowed outbound host: {problem}; write ");
            assert!(error.starts_with(&expected), "{error}");
        }
    }

    #[test]
    fn an_empty_variable_allows_nothing() {
        for text in ["", " ", "http://", "https://"] {
            assert_eq!(Entry::parse_rendered(text).unwrap(), None);
        }
    }
}
