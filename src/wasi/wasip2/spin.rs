//! Spin: it has variables, and says in headers of its own where a request comes from.

use http::HeaderMap;
use spin_sdk_5::variables;

use crate::settings::Host;

pub(super) const HOST: Host = Host::Spin;

/// See [`Runtime::variable`](crate::wasi::Runtime::variable).
pub(super) fn variable(name: &str) -> Result<Option<String>, String> {
    match variables::get(name) {
        Ok(value) => Ok(Some(value)),
        Err(variables::Error::Undefined(_)) => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

/// The headers of a request. Spin appends its own to the client's.
pub(super) fn inbound(headers: HeaderMap) -> HeaderMap {
    headers
}
