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
//! - [`detail`]: one trace as the page draws it, and all of one span
//! - [`graph`]: who calls whom, how often, how fast
//! - [`page`]: the files of the page
//!
//! Beneath: [`otlp`], the fields of its messages, [`room`], the memory that there is, [`ids`], [`settings`], [`respond`], and [`host`], the only place that names the world.

pub mod api;
pub mod critical;
pub mod detail;
pub mod filter;
pub mod graph;
pub mod host;
pub mod ids;
pub mod otlp;
pub mod page;
pub mod receive;
pub mod respond;
pub mod room;
pub mod settings;
pub mod store;
pub mod tree;

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response};
use http_body::Body;

use crate::host::Host;
use crate::respond::Problem;
use crate::settings::Bounds;
use crate::store::group::Group;

/// Any error of a body that is read.
pub type BodyError = Box<dyn std::error::Error + Send + Sync>;

/// Answers one request. `group` is the instance's.
pub async fn answer<H, B>(
    host: &H,
    group: &Group<H::Database>,
    bounds: &Bounds,
    request: Request<B>,
) -> Response<Bytes>
where
    H: Host,
    B: Body,
    B::Error: Into<BodyError>,
{
    let path = request.uri().path().to_owned();
    if path == receive::PATH {
        return receive::answer(host, group, bounds, request).await;
    }
    if let Some(endpoint) = path.strip_prefix(api::PREFIX) {
        let (head, _) = request.into_parts();
        let answered = ask(host, group, bounds, (endpoint, &head)).await;
        return answered.unwrap_or_else(|problem| problem.response());
    }
    page::answer(request.method(), &path)
}

async fn ask<H: Host>(
    host: &H,
    group: &Group<H::Database>,
    bounds: &Bounds,
    (endpoint, head): (&str, &Parts),
) -> Result<Response<Bytes>, Problem> {
    let database = host.connect().await?;
    group.flush(&database).await;
    let asked = (head, host.now() / 1_000_000);
    let answered = api::answer(&database, bounds, endpoint, asked).await;
    host.give_back(database);
    answered
}
