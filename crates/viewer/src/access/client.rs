//! Where a request comes from, and the host name that it asks for.

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;
use http::request::Parts;
use http::uri::Authority;

/// The header in which the host reports the client's address. Spin appends it after any value that the client sent.
const CLIENT: &str = "spin-client-addr";

/// Whether the client is on this machine, according to the host: the last value of the header. A client without the
/// header is not, and neither is another component of the application, whose address is 0.0.0.0.
pub fn is_loopback(headers: &HeaderMap) -> bool {
    let reported = headers.get_all(CLIENT).iter().next_back();
    let reported = reported.and_then(|reported| reported.to_str().ok());
    reported
        .and_then(address)
        .is_some_and(|address| address.to_canonical().is_loopback())
}

fn address(text: &str) -> Option<IpAddr> {
    let with_port = text.parse::<SocketAddr>().map(|address| address.ip());
    with_port.or_else(|_| text.parse()).ok()
}

/// The authority that a request asks for. Spin puts the `Host` header into the URI; a request of another component may
/// have none.
pub fn authority(head: &Parts) -> Option<&Authority> {
    head.uri.authority()
}
