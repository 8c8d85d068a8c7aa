//! What the head of a request says, apart from tracing: which route it is for, and where it comes from.
//!
//! - [`route`]: whether the request is for `/process`
//! - [`origin`]: the client, the scheme and the server's address
//! - [`spin_headers`]: the headers that Spin adds to a request

pub mod origin;
pub mod route;
pub mod spin_headers;
