//! The value of `--otlp-listen`.

use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs as _};

use super::loopback;

/// The port of OTLP/HTTP.
const HTTP: u16 = 4318;
/// The port of OTLP/gRPC.
const GRPC: u16 = 4317;

/// A protocol of OTLP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    Http,
    Grpc,
}

impl fmt::Display for Protocol {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Protocol::Http => "HTTP",
            Protocol::Grpc => "gRPC",
        })
    }
}

/// Where senders with nothing set are listened to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum OtlpListen {
    /// On 127.0.0.1 and `[::1]`, ports 4318 and 4317.
    #[default]
    Standard,
    /// Nowhere.
    None,
    /// At these addresses.
    At {
        /// For OTLP/HTTP.
        http: Option<SocketAddr>,
        /// For OTLP/gRPC.
        grpc: Option<SocketAddr>,
    },
}

impl OtlpListen {
    /// Parses `none`, or a list such as `http=127.0.0.1:4318,grpc=127.0.0.1:4317`.
    ///
    /// # Errors
    /// What is accepted.
    pub fn parse(text: &str) -> Result<OtlpListen, String> {
        let accepted = || {
            "write none, or http=ADDRESS,grpc=ADDRESS, or one of the two, such as http=127.0.0.1:4318"
                .to_owned()
        };
        if text == "none" {
            return Ok(OtlpListen::None);
        }
        let (mut http, mut grpc) = (None, None);
        for part in text.split(',') {
            let (protocol, address) = part.split_once('=').ok_or_else(accepted)?;
            let mut addresses = address.to_socket_addrs().map_err(|_| accepted())?;
            let address = addresses.next().ok_or_else(accepted)?;
            let before = match protocol {
                "http" => http.replace(address),
                "grpc" => grpc.replace(address),
                _ => return Err(accepted()),
            };
            if before.is_some() {
                return Err(accepted());
            }
        }
        Ok(OtlpListen::At { http, grpc })
    }

    /// Each protocol with its addresses.
    pub(super) fn addresses(&self) -> Vec<(Protocol, Vec<SocketAddr>)> {
        let given = |address: Option<SocketAddr>| address.into_iter().collect();
        let (http, grpc) = match self {
            OtlpListen::Standard => (loopback(HTTP), loopback(GRPC)),
            OtlpListen::None => (Vec::new(), Vec::new()),
            OtlpListen::At { http, grpc } => (given(*http), given(*grpc)),
        };
        let mut both = vec![(Protocol::Http, http), (Protocol::Grpc, grpc)];
        both.retain(|(_, addresses)| !addresses.is_empty());
        both
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "test code")]
mod tests {
    use super::*;

    #[test]
    fn reads_addresses_by_protocol() {
        let (one, two) = ("127.0.0.1:4318", "[::1]:0");
        let at = |http: Option<&str>, grpc: Option<&str>| OtlpListen::At {
            http: http.map(|address| address.parse().unwrap()),
            grpc: grpc.map(|address| address.parse().unwrap()),
        };
        let table = [
            ("none", Some(OtlpListen::None)),
            ("http=127.0.0.1:4318", Some(at(Some(one), None))),
            (
                "grpc=[::1]:0,http=127.0.0.1:4318",
                Some(at(Some(one), Some(two))),
            ),
            ("", None),
            ("4318", None),
            ("http=", None),
            ("http=127.0.0.1", None),
            ("https=127.0.0.1:4318", None),
            ("http=127.0.0.1:1,http=127.0.0.1:2", None),
        ];
        for (text, expected) in table {
            assert_eq!(OtlpListen::parse(text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn the_standard_ports_are_for_this_machine_alone() {
        let addresses = OtlpListen::default().addresses();
        let shown = format!("{addresses:?}");
        assert_eq!(
            shown,
            "[(Http, [127.0.0.1:4318, [::1]:4318]), (Grpc, [127.0.0.1:4317, [::1]:4317])]"
        );
    }
}
