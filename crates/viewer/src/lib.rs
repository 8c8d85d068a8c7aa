//! A trace viewer: receives spans over OTLP/HTTP, keeps the latest traces, and shows them.
//!
//! Taking traces in:
//! - [`receive`]: `POST /v1/traces`, from the body to what is stored, and the answer
//! - [`store`]: the database: schema, writing, eviction, reading
//!
//! Who may ask, and where:
//! - [`access`]: names, origins, the token
//! - [`paths`]: what is at a path
//!
//! Showing them:
//! - [`api`]: `/traces/api/...`, as JSON
//! - [`filter`]: which traces a request asks for
//! - [`tree`] and [`critical`]: one trace as rows, and its critical path
//! - [`detail`]: one trace as the page draws it, and all of one span
//! - [`graph`]: who calls whom, how often, how fast
//! - [`page`]: the files of the page
//!
//! Beneath: [`otlp`], the fields of its messages, [`room`], the memory that there is, [`ids`], [`settings`], [`respond`], and [`wasi`], the only place that names the host.

pub mod access;
pub mod api;
pub mod critical;
pub mod detail;
pub mod filter;
pub mod graph;
pub mod ids;
pub mod otlp;
pub mod page;
pub mod paths;
pub mod receive;
pub mod respond;
pub mod room;
pub mod settings;
pub mod store;
pub mod tree;
pub mod wasi;

use bytes::Bytes;
use http::header::WWW_AUTHENTICATE;
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use http_body::Body;

use crate::access::{origins, token};
use crate::paths::Place;
use crate::receive::Encoding;
use crate::respond::{Problem, protect};
use crate::settings::{Bounds, Settings};
use crate::store::group::Group;
use crate::wasi::Runtime;

/// Any error of a body that is read.
pub type BodyError = Box<dyn std::error::Error + Send + Sync>;

/// Answers one request. `group` is the instance's.
pub async fn answer<R, B>(
    runtime: &R,
    group: &Group<R::Database>,
    settings: &Settings,
    request: Request<B>,
) -> Response<Bytes>
where
    R: Runtime,
    B: Body,
    B::Error: Into<BodyError>,
{
    let mut response = match paths::of(request.uri().path()) {
        Place::Intake => take(runtime, group, settings, request).await,
        Place::NoIntake(problem) => turn_away(settings, request, &problem),
        Place::Shown => {
            let (head, _) = request.into_parts();
            let shown = show(runtime, group, settings, &head).await;
            let mut response = shown.unwrap_or_else(|problem| problem.response());
            protect(&mut response);
            response
        }
    };
    if response.status() == StatusCode::UNAUTHORIZED {
        let challenge = token::challenge();
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    response
}

/// An export, from whoever may send one.
async fn take<R, B>(
    runtime: &R,
    group: &Group<R::Database>,
    settings: &Settings,
    request: Request<B>,
) -> Response<Bytes>
where
    R: Runtime,
    B: Body,
    B::Error: Into<BodyError>,
{
    let (head, body) = request.into_parts();
    let checked = settings.access.check_intake(&head);
    if head.method == Method::OPTIONS {
        return origins::preflight(&head.headers, checked.ok().flatten());
    }
    let encoding = Encoding::of(&head.headers).unwrap_or(Encoding::Json);
    let origin = match checked {
        Ok(origin) => origin,
        Err(problem) => return receive::refusal(encoding, &problem),
    };
    let mut response = match settings.access.check_token(&head) {
        Ok(()) => {
            let request = Request::from_parts(head, body);
            receive::answer(runtime, group, &settings.bounds, request).await
        }
        Err(problem) => receive::refusal(encoding, &problem),
    };
    if let Some(origin) = origin {
        origins::allow(&mut response, &origin);
    }
    response
}

/// An export to a path that takes none. A page may read why, as it could read the answer to another.
fn turn_away<B>(settings: &Settings, request: Request<B>, problem: &Problem) -> Response<Bytes> {
    let (head, _) = request.into_parts();
    let origin = settings.access.check_intake(&head).ok().flatten();
    if head.method == Method::OPTIONS {
        return origins::preflight(&head.headers, origin);
    }
    let encoding = Encoding::of(&head.headers).unwrap_or(Encoding::Json);
    let mut response = receive::refusal(encoding, problem);
    if let Some(origin) = origin {
        origins::allow(&mut response, &origin);
    }
    response
}

/// The page and the API, for whoever may see them.
async fn show<R: Runtime>(
    runtime: &R,
    group: &Group<R::Database>,
    settings: &Settings,
    head: &Parts,
) -> Result<Response<Bytes>, Problem> {
    let access = &settings.access;
    access.check_page(head)?;
    if let Some(led) = page::of_link(access.token.as_ref(), head) {
        return led;
    }
    access.check_token(head)?;
    match head.uri.path().strip_prefix(api::PREFIX) {
        Some(endpoint) => ask(runtime, group, &settings.bounds, (endpoint, head)).await,
        None => Ok(page::answer(&head.method, head.uri.path())),
    }
}

async fn ask<R: Runtime>(
    runtime: &R,
    group: &Group<R::Database>,
    bounds: &Bounds,
    (endpoint, head): (&str, &Parts),
) -> Result<Response<Bytes>, Problem> {
    let database = runtime.connect().await?;
    group.flush(&database).await;
    let asked = (head, runtime.now() / 1_000_000);
    let answered = api::answer(&database, bounds, endpoint, asked).await;
    runtime.release(database);
    answered
}

#[cfg(test)]
mod tests;
