//! Names of hosts: those of loopback, and those that `APP_VIEWER_HOSTS` adds.

use std::net::IpAddr;

use http::uri::{Authority, Uri};

/// The setting that lists them.
pub const SETTING: &str = "APP_VIEWER_HOSTS";

/// Whether a host is one of loopback: `localhost`, what is below it, and the addresses of loopback.
pub fn is_loopback(host: &str) -> bool {
    let host = plain(host);
    match host.parse::<IpAddr>() {
        Ok(address) => address.to_canonical().is_loopback(),
        Err(_) => host == "localhost" || host.ends_with(".localhost"),
    }
}

/// In lower case, without the brackets of IPv6 and the dot of a full name.
fn plain(host: &str) -> String {
    let host = host.strip_suffix('.').unwrap_or(host);
    let inner = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    inner.unwrap_or(host).to_ascii_lowercase()
}

/// Names that the viewer answers for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names(Vec<Name>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Name {
    host: Host,
    /// None where any will do.
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Host {
    Any,
    Exactly(String),
    /// What ends with this, which begins with a dot.
    Below(String),
}

impl Names {
    /// Reads names, comma separated: `viewer.example`, `viewer.example:8080`, `*.example`, or `*` for any.
    ///
    /// # Errors
    /// What is wrong, and what is accepted.
    pub fn parse(text: &str) -> Result<Names, String> {
        let names = text.split(',').map(str::trim);
        let names = names.filter(|name| !name.is_empty());
        names.map(Name::parse).collect::<Result<_, _>>().map(Names)
    }

    /// Whether a host is one of them.
    pub fn has(&self, authority: &Authority) -> bool {
        self.0.iter().any(|name| name.is(authority))
    }

    /// Whether an origin, such as `https://viewer.example`, is at one of them.
    pub fn has_origin(&self, origin: &str) -> bool {
        let origin: Option<Uri> = origin.parse().ok();
        origin.is_some_and(|origin| {
            origin.scheme().is_some() && origin.authority().is_some_and(|of| self.has(of))
        })
    }
}

impl Name {
    fn parse(text: &str) -> Result<Name, String> {
        let refused = || {
            format!("'{text}' is no host such as viewer.example, viewer.example:8080 or *.example")
        };
        if text == "*" {
            return Ok(Name {
                host: Host::Any,
                port: None,
            });
        }
        let (below, rest) = match text.strip_prefix("*.") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        if rest.parse::<IpAddr>().is_ok() && !below {
            return Ok(Name {
                host: Host::Exactly(plain(rest)),
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
        // Userinfo, an empty or too large port, wildcards elsewhere.
        if whole != rest || authority.host().is_empty() || whole.contains(odd) {
            return Err(refused());
        }
        let port = match authority.port() {
            Some(_) => Some(authority.port_u16().ok_or_else(refused)?),
            None => None,
        };
        let host = plain(authority.host());
        Ok(Name {
            host: match below {
                true => Host::Below(format!(".{host}")),
                false => Host::Exactly(host),
            },
            port,
        })
    }

    fn is(&self, authority: &Authority) -> bool {
        let host = plain(authority.host());
        let named = match &self.host {
            Host::Any => true,
            Host::Exactly(name) => host == *name,
            Host::Below(suffix) => host.ends_with(suffix),
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
            assert!(Names::parse(text).is_ok(), "{text}");
        }
        for text in [
            "http://a", "a/b", "a:b", "a:", "a:99999", "user@a", "a b", "*a", "a.*", "*.*.a", "a?",
        ] {
            let problem = Names::parse(text).unwrap_err();
            assert!(
                problem.starts_with(&format!("'{text}' is no host")),
                "{problem}"
            );
        }
    }
}
