//! The table of an application's components, through which they call each other inside the process.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::pin::Pin;

use http::{Request, Response};
use wasmtime_wasi_http::WasiBody;

/// The response of a component, once it is there.
pub type ResponseFuture = Pin<Box<dyn Future<Output = Response<WasiBody>> + Send>>;

/// Answers a request that another component has sent.
pub type ChainedHandler = Box<dyn Fn(Request<WasiBody>) -> ResponseFuture + Send + Sync>;

/// The components of an application, by id. Instances hold it weakly: it ends with its application.
pub struct Components {
    address: SocketAddr,
    handlers: HashMap<String, ChainedHandler>,
}

impl Components {
    /// The components of an application that listens on `address`.
    pub fn new(address: SocketAddr, handlers: HashMap<String, ChainedHandler>) -> Components {
        Components { address, handlers }
    }

    /// The address that the application listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Calls a component; none if there is no component of this id.
    pub fn call(&self, id: &str, request: Request<WasiBody>) -> Option<ResponseFuture> {
        self.handlers.get(id).map(|handler| handler(request))
    }
}
