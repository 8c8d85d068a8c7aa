//! Host names that the viewer answers to: those of loopback, and those that `APP_VIEWER_HOSTS` adds.

use std::net::IpAddr;

use http::uri::{Authority, Uri};

/// The setting that lists them.
pub const SETTING: &str = "APP_VIEWER_HOSTS";

/// Whether a host is loopback: `localhost`, its subdomains, and the loopback addresses.
///
/// ```
/// use tracing_tail_viewer::access::hosts::is_loopback;
///
/// assert!(is_loopback("shop.localhost") && is_loopback("[::1]"));
/// assert!(!is_loopback("localhost.example"));
/// ```
pub fn is_loopback(host: &str) -> bool {
    let host = normalize(host);
    match host.parse::<IpAddr>() {
        Ok(address) => address.to_canonical().is_loopback(),
        Err(_) => host == "localhost" || host.ends_with(".localhost"),
    }
}

/// In lower case, without the brackets of IPv6 and the trailing dot of a fully qualified name.
fn normalize(host: &str) -> String {
    let host = host.strip_suffix('.').unwrap_or(host);
    let inner = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    inner.unwrap_or(host).to_ascii_lowercase()
}

/// Host names that the viewer answers to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowedHosts(Vec<HostPattern>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct HostPattern {
    host: HostMatch,
    /// Any port if none.
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum HostMatch {
    Any,
    Exact(String),
    /// A suffix that begins with a dot.
    Suffix(String),
}

impl AllowedHosts {
    /// Reads comma-separated names: `viewer.example`, `viewer.example:8080`, `*.example`, or `*` for any.
    ///
    /// # Errors
    /// A sentence with what is wrong and what is accepted.
    pub fn parse(text: &str) -> Result<AllowedHosts, String> {
        let names = text.split(',').map(str::trim);
        let names = names.filter(|name| !name.is_empty());
        names
            .map(HostPattern::parse)
            .collect::<Result<_, _>>()
            .map(AllowedHosts)
    }

    /// Whether a host is one of them.
    pub fn contains(&self, authority: &Authority) -> bool {
        self.0.iter().any(|name| name.matches(authority))
    }

    /// Whether an origin, such as `https://viewer.example`, is at one of them.
    pub fn contains_origin(&self, origin: &str) -> bool {
        let origin: Option<Uri> = origin.parse().ok();
        origin.is_some_and(|origin| {
            origin.scheme().is_some() && origin.authority().is_some_and(|of| self.contains(of))
        })
    }
}

impl HostPattern {
    fn parse(text: &str) -> Result<HostPattern, String> {
        let refused = || {
            format!(
                "'{text}' is not a host such as viewer.example, viewer.example:8080 or *.example"
            )
        };
        if text == "*" {
            return Ok(HostPattern {
                host: HostMatch::Any,
                port: None,
            });
        }
        let (below, rest) = match text.strip_prefix("*.") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        if rest.parse::<IpAddr>().is_ok() && !below {
            return Ok(HostPattern {
                host: HostMatch::Exact(normalize(rest)),
                port: None,
            });
        }
        let authority: Authority = rest.parse().map_err(|_| refused())?;
        let whole = match authority.port() {
            Some(port) => format!("{}:{port}", authority.host()),
            None => authority.host().to_owned(),
        };
        let odd =
            |character: char| !(character.is_ascii_alphanumeric() || "-._[]:".contains(character));
        // Rejects user info, an empty or too large port, and other wildcards.
        if whole != rest || authority.host().is_empty() || whole.contains(odd) {
            return Err(refused());
        }
        let port = match authority.port() {
            Some(_) => Some(authority.port_u16().ok_or_else(refused)?),
            None => None,
        };
        let host = normalize(authority.host());
        Ok(HostPattern {
            host: match below {
                true => HostMatch::Suffix(format!(".{host}")),
                false => HostMatch::Exact(host),
            },
            port,
        })
    }

    fn matches(&self, authority: &Authority) -> bool {
        let host = normalize(authority.host());
        let named = match &self.host {
            HostMatch::Any => true,
            HostMatch::Exact(name) => host == *name,
            HostMatch::Suffix(suffix) => host.ends_with(suffix),
        };
        named && (self.port.is_none() || self.port == authority.port_u16())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_hosts_and_refuses_by_name_what_is_none() {
        for text in [
            "",
            " , ",
            "*",
            "a",
            "a.example:80, *.b",
            "[::1]:3000",
            "::1",
            "10.0.0.1:80",
            "my_host",
        ] {
            assert!(AllowedHosts::parse(text).is_ok(), "{text}");
        }
        for text in [
            "http://a", "a/b", "a:b", "a:", "a:99999", "user@a", "a b", "*a", "a.*", "*.*.a", "a?",
        ] {
            let problem = AllowedHosts::parse(text).unwrap_err();
            assert!(
                problem.starts_with(&format!("'{text}' is not a host")),
                "{problem}"
            );
        }
    }
}
