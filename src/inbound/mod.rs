//! What a request says, apart from tracing: which route it is for, where it comes from, and its body.
//!
//! - [`route`]: whether the request is for `/process`
//! - [`origin`]: the client, the scheme and the server's address
//! - [`spin_headers`]: the headers that Spin adds to a request
//! - `body`: the body, read whole

pub(crate) mod body;
pub mod origin;
pub mod route;
pub mod spin_headers;
