//! Reads traces from backends: the built-in viewer, Jaeger, Tempo, Zipkin, Phoenix, otel-desktop-viewer, and files that a
//! Collector writes.
//!
//! Where and how
//! - [`address`]: the backend's URL or path
//! - [`access`]: headers with credentials
//! - [`problem`]: why a trace can't be judged
//!
//! Formats, pure
//! - [`answer`]: an answer in any of them
//! - `fields`: fields of JSON objects, tolerant of how real programs write them
//! - `otlp_json`, `otlp_proto`: OTLP, as most backends answer it
//! - `jaeger_json`: Jaeger's older API
//! - `zipkin_json`: Zipkin's API
//! - `phoenix_json`: Phoenix's API
//! - `odv_json`: the API of otel-desktop-viewer
//! - `tags`: tags that stand for fields of a span, in the formats of Jaeger and Zipkin
//! - `kept`: what each backend by its nature keeps
//!
//! With network and files
//! - `server`: asks a server, and classifies its answers
//! - `probes`: questions that show which API a server has
//! - `api`: finds out which API a server has, and asks it for traces
//! - `files`: follows files of OTLP JSON lines

pub mod access;
pub mod address;
pub mod answer;
mod api;
mod fields;
mod files;
mod jaeger_json;
mod kept;
mod odv_json;
mod otlp_json;
mod otlp_proto;
mod phoenix_json;
mod probes;
pub mod problem;
mod server;
mod tags;
#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "test code")]
mod tests;
mod zipkin_json;

use std::fmt;

use opentelemetry::trace::TraceId;

use self::access::Access;
use self::address::{Address, Location};
use self::api::Api;
use self::files::Files;
use self::problem::Problem;
use self::server::{LIMITS, Server};
use super::limits::Limits;
use super::span::Span;

/// A backend that answers with traces. Displayed with its address, without credentials.
#[derive(Debug)]
pub struct Backend(Reader);

#[derive(Debug)]
enum Reader {
    Api(Box<Api>),
    Files(Files),
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Reader::Api(api) => api.fmt(f),
            Reader::Files(files) => files.fmt(f),
        }
    }
}

/// Reads OTLP in protobuf, for tests of what writes it.
#[cfg(test)]
pub(super) fn read_otlp(bytes: &[u8]) -> Result<Vec<Span>, String> {
    otlp_proto::read_trace(bytes).map(|export| export.spans)
}

impl Backend {
    /// Asks a backend whether it is one, and which one if the address does not say it.
    ///
    /// # Errors
    /// It can't be reached, refuses access, or is none of the known ones.
    pub async fn connect(address: &Address, access: &Access) -> Result<Backend, Problem> {
        match &address.0 {
            Location::Api {
                system,
                base,
                authorization,
            } => {
                let headers = access.headers(authorization.as_ref());
                let server = Server::new(base.clone(), headers, LIMITS);
                let api = api::connect(server, *system).await?;
                Ok(Backend(Reader::Api(Box::new(api))))
            }
            Location::Files { path, explicit } => {
                let files = Files::open(path.clone(), *explicit).await?;
                Ok(Backend(Reader::Files(files)))
            }
        }
    }

    /// The spans of a trace in the backend's order, doubles included; `None` if it does not have the trace, or not yet.
    ///
    /// # Errors
    /// The trace can't be judged now or, if the problem is not transient, at all.
    pub async fn trace(&self, id: TraceId) -> Result<Option<Vec<Span>>, Problem> {
        let spans = match &self.0 {
            Reader::Api(api) => api.trace(id).await?,
            Reader::Files(files) => files.trace(id).await?,
        };
        Ok(Some(spans).filter(|spans| !spans.is_empty()))
    }

    /// What it by its nature does not keep.
    pub fn limits(&self) -> Limits {
        match &self.0 {
            Reader::Api(api) => api.limits(),
            Reader::Files(_) => kept::FILES,
        }
    }

    /// The trace's link in the backend's own page, if it has one.
    pub fn page(&self, id: TraceId) -> Option<String> {
        match &self.0 {
            Reader::Api(api) => api.page(id),
            Reader::Files(_) => None,
        }
    }
}
