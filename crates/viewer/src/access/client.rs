//! Where a request comes from, and which name it asks for.

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;
use http::request::Parts;
use http::uri::Authority;

/// The header in which the host tells the client's address. Spin adds it behind what a client sent by that name.
const CLIENT: &str = "spin-client-addr";

/// Whether the client is on this machine, by the host's word: the last value of the header. One that the host does
/// not tell is not; nor is another component of the application, which has the address 0.0.0.0.
pub fn is_loopback(headers: &HeaderMap) -> bool {
    let told = headers.get_all(CLIENT).iter().next_back();
    let told = told.and_then(|told| told.to_str().ok());
    told.and_then(address)
        .is_some_and(|address| address.to_canonical().is_loopback())
}

fn address(text: &str) -> Option<IpAddr> {
    let with_port = text.parse::<SocketAddr>().map(|address| address.ip());
    with_port.or_else(|_| text.parse()).ok()
}

/// The host that a request asks for, of which the host makes its URI. A request of another component may have none.
pub fn authority(head: &Parts) -> Option<&Authority> {
    head.uri.authority()
}
