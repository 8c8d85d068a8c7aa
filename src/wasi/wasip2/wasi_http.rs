//! Any other host of `wasi:http/proxy`: settings come from the environment alone, and nobody but the client can have
//! written a header.

use http::HeaderMap;

use crate::settings::Host;

pub(super) const HOST: Host = Host::WasiHttp;

/// There are no variables. What [`Values`](crate::settings::Values) then reads is the environment.
pub(super) fn variable(_name: &str) -> Result<Option<String>, String> {
    Ok(None)
}

/// The headers of a request, without those that only Spin may set: here they are forged.
pub(super) fn inbound(mut headers: HeaderMap) -> HeaderMap {
    let names: Vec<_> = headers.keys().cloned().collect();
    let forged = names
        .iter()
        .filter(|name| name.as_str().starts_with("spin-"));
    for name in forged {
        headers.remove(name);
    }
    headers
}
