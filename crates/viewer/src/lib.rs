//! A trace viewer: receives spans over OTLP/HTTP, keeps the latest traces, and serves them as JSON and as a web page.
//!
//! A request's life: [`route`] tells the receiver's path from the page's, [`access`] checks host, origin and token, and
//! then one of three answers it: [`receive`], [`api`] or [`page`].
//!
//! Receiving:
//! - [`receive`]: `POST /v1/traces`, from the body to a batch of spans
//! - [`store`]: the database: schema, writing, eviction, queries
//!
//! Showing:
//! - [`api`]: `/traces/api/...`, as JSON
//! - [`filter`]: the filter parameters of a request, as SQL and as checks on spans
//! - [`view`]: one trace as rows, and one span in full
//! - [`tree`] and [`critical_path`]: the order of the rows, and which spans the response waited for
//! - [`interaction`]: the stores, queues and untraced servers that spans interact with
//! - [`graph`]: calls between services, with rates and latencies
//! - [`events`]: `/traces/api/events`, a stream that says when something has changed
//! - [`page`]: the files of the web page
//!
//! Shared:
//! - [`otlp`]: OTLP's messages, wire format and values
//! - [`attribute_set`]: attributes as hashes, for filters
//! - [`reservation`]: memory for exports and responses
//! - [`response`], [`settings`]
//! - [`wasi`]: the clock and the database; no other module touches the outside

pub mod access;
pub mod api;
pub mod attribute_set;
pub mod critical_path;
pub mod events;
pub mod filter;
pub mod graph;
pub mod interaction;
pub mod otlp;
pub mod page;
pub mod receive;
pub mod reservation;
pub mod response;
pub mod route;
pub mod settings;
pub mod store;
pub mod tree;
pub mod view;
pub mod wasi;

use bytes::Bytes;
use http::header::WWW_AUTHENTICATE;
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use http_body::Body;

use crate::access::{origins, token};
use crate::receive::Encoding;
use crate::response::{Content, Problem, add_security_headers};
use crate::route::Route;
use crate::settings::{Bounds, Settings};
use crate::store::group_commit::GroupCommit;
use crate::wasi::Runtime;

/// Any error while a request's body is read.
pub type BodyError = Box<dyn std::error::Error + Send + Sync>;

/// Answers one request. `group` is shared by all requests of an instance.
pub async fn answer<R, B>(
    runtime: &R,
    group: &GroupCommit<R::Database>,
    settings: &Settings,
    request: Request<B>,
) -> Response<Content>
where
    R: Runtime,
    B: Body,
    B::Error: Into<BodyError>,
{
    let mut response = match Route::of(request.uri().path()) {
        Route::Receiver => {
            let answered = ingest(runtime, group, settings, request).await;
            answered.map(Content::Whole)
        }
        Route::UnknownReceiver(problem) => {
            refuse_path(settings, request, &problem).map(Content::Whole)
        }
        Route::Viewer => {
            let (head, _) = request.into_parts();
            let served = serve(runtime, group, settings, &head).await;
            let mut response =
                served.unwrap_or_else(|problem| problem.response().map(Content::Whole));
            add_security_headers(&mut response);
            response
        }
    };
    if response.status() == StatusCode::UNAUTHORIZED {
        let challenge = token::challenge();
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    response
}

/// Receives an export from a client that is allowed to send one.
async fn ingest<R, B>(
    runtime: &R,
    group: &GroupCommit<R::Database>,
    settings: &Settings,
    request: Request<B>,
) -> Response<Bytes>
where
    R: Runtime,
    B: Body,
    B::Error: Into<BodyError>,
{
    let (head, body) = request.into_parts();
    let checked = settings.access.check_receiver(&head);
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

/// Refuses an export to an unknown path below `/v1/`. The CORS headers let an allowed page read the reason.
fn refuse_path<B>(settings: &Settings, request: Request<B>, problem: &Problem) -> Response<Bytes> {
    let (head, _) = request.into_parts();
    let origin = settings.access.check_receiver(&head).ok().flatten();
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

/// Serves the page and the API to a client that is allowed to see them.
async fn serve<R: Runtime>(
    runtime: &R,
    group: &GroupCommit<R::Database>,
    settings: &Settings,
    head: &Parts,
) -> Result<Response<Content>, Problem> {
    let access = &settings.access;
    access.check_page(head)?;
    if let Some(redirect) = page::token_redirect(access.token.as_ref(), head) {
        return redirect.map(|redirect| redirect.map(Content::Whole));
    }
    // No cookie of the page is sent with it.
    if head.uri.path() == page::FAVICON {
        return Ok(page::answer(head).map(Content::Whole));
    }
    access.check_token(head)?;
    let answered = match head.uri.path().strip_prefix(api::PREFIX) {
        Some(events::ENDPOINT) => {
            // Another site's page can't read a stream, but it could keep it open.
            access.check_own_site(head)?;
            return events::answer(head);
        }
        Some("app") => api::app(&head.method, &settings.process)?,
        Some(endpoint) => query(runtime, group, &settings.bounds, (endpoint, head)).await?,
        None => page::answer(head),
    };
    Ok(answered.map(Content::Whole))
}

async fn query<R: Runtime>(
    runtime: &R,
    group: &GroupCommit<R::Database>,
    bounds: &Bounds,
    (endpoint, head): (&str, &Parts),
) -> Result<Response<Bytes>, Problem> {
    let database = runtime.connect().await?;
    group.flush(&database).await;
    let request = (head, runtime.now() / 1_000_000);
    let response = api::answer(&database, bounds, endpoint, request).await;
    runtime.release(database);
    response
}

#[cfg(test)]
mod tests;
