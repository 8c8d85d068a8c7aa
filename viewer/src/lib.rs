//! A trace viewer: receives spans over OTLP/HTTP, keeps the latest traces, and shows them.
//!
//! Taking traces in:
//! - [`receive`]: `POST /v1/traces`, from the body to what is stored, and the answer
//! - [`store`]: the database: schema, writing, eviction, reading
//!
//! Showing them:
//! - [`api`]: `/traces/api/...`, as JSON
//! - [`filter`]: which traces a request asks for
//! - [`tree`] and [`critical`]: one trace as rows, and its critical path
//! - [`detail`]: all of one span, and a trace as OTLP
//! - [`graph`]: who calls whom, how often, how fast
//! - [`page`]: the files of the page
//!
//! Beneath: [`ids`], [`settings`], [`respond`], and [`host`], the only place that names the world.

pub mod api;
pub mod critical;
pub mod detail;
pub mod filter;
pub mod graph;
pub mod host;
pub mod ids;
pub mod page;
pub mod receive;
pub mod respond;
pub mod settings;
pub mod store;
pub mod tree;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;

use crate::host::Database;
use crate::respond::Problem;
use crate::settings::Bounds;

/// Any error of a body that is read.
pub type BodyError = Box<dyn std::error::Error + Send + Sync>;

/// Answers one request.
pub async fn answer<D, B>(
    database: Result<&D, Problem>,
    bounds: &Bounds,
    request: Request<B>,
) -> Response<Bytes>
where
    D: Database,
    B: Body,
    B::Error: Into<BodyError>,
{
    let path = request.uri().path().to_owned();
    if path == receive::PATH {
        return receive::answer(database, bounds, request).await;
    }
    if let Some(endpoint) = path.strip_prefix(api::PREFIX) {
        let (head, _) = request.into_parts();
        let answered = match database {
            Ok(database) => api::answer(database, endpoint, &head).await,
            Err(problem) => Err(problem),
        };
        return answered.unwrap_or_else(|problem| problem.response());
    }
    page::answer(request.method(), &path)
}
