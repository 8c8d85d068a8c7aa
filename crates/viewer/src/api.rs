//! The JSON API below `/traces/api/`, which the page uses. `docs/viewer-api.md` describes it.

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_DISPOSITION, HeaderValue};
use http::request::Parts;
use http::{Method, Response, StatusCode, Uri};
use serde_json::json;

use crate::filter::Filter;
use crate::graph;
use crate::otlp::hex;
use crate::reservation::MemoryReservation;
use crate::response::{Problem, json as json_response, to_json, with_body};
use crate::settings::Bounds;
use crate::store::actions::{self, PinOutcome};
use crate::store::{export, facets, graph as store_graph, groups, links, list, spans, totals};
use crate::view::links::SpanLinks;
use crate::view::{self, SpanName};
use crate::wasi::{Database, DatabaseError};

/// The prefix of every path of the API.
pub const PREFIX: &str = "/traces/api/";

/// Answers a request to `endpoint`, which is its path after [`PREFIX`], at a time in milliseconds since 1970.
///
/// # Errors
/// The problem to answer instead.
pub async fn answer(
    database: &impl Database,
    bounds: &Bounds,
    endpoint: &str,
    (request, now): (&Parts, i64),
) -> Result<Response<Bytes>, Problem> {
    let segments: Vec<&str> = endpoint.split('/').collect();
    let known = matches!(
        segments[..],
        ["traces" | "services" | "graph" | "facets" | "counts"]
            | ["traces", _]
            | ["traces", _, "otlp" | "pin" | "hits" | "facets"]
            | ["traces", _, "spans", _]
    );
    if !known {
        let problem = format!("there is no endpoint '{endpoint}'");
        return Err(Problem::new(StatusCode::NOT_FOUND, problem));
    }
    let api = ApiRequest {
        database,
        bounds,
        now,
        uri: &request.uri,
    };
    match (&request.method, &segments[..]) {
        (&Method::GET | &Method::HEAD, ["traces"]) => api.traces().await,
        (&Method::DELETE, ["traces"]) => api.clear().await,
        (&Method::GET | &Method::HEAD, ["traces", "groups"]) => api.groups().await,
        (&Method::GET, ["traces", id]) => api.trace(id).await,
        (&Method::HEAD, ["traces", id]) => api.view(id).await,
        (&Method::GET | &Method::HEAD, ["traces", id, "otlp"]) => api.otlp(id).await,
        (&Method::GET | &Method::HEAD, ["traces", id, "hits"]) => api.hits(id).await,
        (&Method::GET | &Method::HEAD, ["traces", id, "facets"]) => api.trace_facets(id).await,
        (&Method::PUT, ["traces", id, "pin"]) => api.pin(id).await,
        (&Method::DELETE, ["traces", id, "pin"]) => api.unpin(id).await,
        (&Method::GET | &Method::HEAD, ["traces", id, "spans", span]) => api.span(id, span).await,
        (&Method::GET | &Method::HEAD, ["services"]) => {
            let services = totals::services(database).await?;
            Ok(json_response(&json!({ "services": services })))
        }
        (&Method::GET | &Method::HEAD, ["graph"]) => api.graph().await,
        (&Method::GET | &Method::HEAD, ["facets"]) => {
            let filter = Filter::read(api.uri)?;
            Ok(json_response(&facets::facets(database, &filter).await?))
        }
        (&Method::GET | &Method::HEAD, ["counts"]) => {
            Ok(json_response(&totals::counts(database).await?))
        }
        (method, path) => {
            let problem = format!("{method} is not possible on '{endpoint}'");
            let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, problem);
            let mut response = problem.response();
            let allowed = match path {
                ["traces"] => "GET, HEAD, DELETE",
                [_, _, "pin"] => "PUT, DELETE",
                _ => "GET, HEAD",
            };
            let allowed = HeaderValue::from_static(allowed);
            response.headers_mut().insert(ALLOW, allowed);
            Ok(response)
        }
    }
}

/// Answers `GET app`: what the page has to know about the app.
///
/// # Errors
/// 405 for another method.
pub fn app(method: &Method, process: &str) -> Result<Response<Bytes>, Problem> {
    match *method {
        Method::GET | Method::HEAD => Ok(json_response(&json!({ "process": process }))),
        _ => {
            let problem = format!("{method} is not possible on 'app'");
            Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, problem))
        }
    }
}

struct ApiRequest<'r, D> {
    database: &'r D,
    bounds: &'r Bounds,
    now: i64,
    uri: &'r Uri,
}

impl<D: Database> ApiRequest<'_, D> {
    async fn traces(&self) -> Result<Response<Bytes>, Problem> {
        let filter = Filter::read(self.uri)?;
        // Counts are read first: a change between the two queries is then reported again, and not missed.
        let counts = totals::counts(self.database).await?;
        let page = list::traces(self.database, &filter).await?;
        let matching = match filter.counts {
            true => groups::count(self.database, &filter).await?,
            false => None,
        };
        let changed = match (filter.changed_after, page.last) {
            (Some(_), Some(last)) if page.more => last,
            _ => counts.changed,
        };
        let before = page.last.filter(|_| filter.changed_after.is_none());
        Ok(json_response(&json!({
            "traces": page.traces,
            "more": page.more,
            "before": before,
            "changed": changed,
            "oldest": counts.oldest,
            "kept": counts.kept,
            "total": counts.traces,
            "matching": matching,
            "unrouted": if filter.leaves_out_unrouted { counts.unrouted } else { 0 },
        })))
    }

    async fn groups(&self) -> Result<Response<Bytes>, Problem> {
        let filter = Filter::read(self.uri)?;
        let groups = groups::groups(self.database, &filter).await?;
        Ok(json_response(&groups))
    }

    async fn clear(&self) -> Result<Response<Bytes>, Problem> {
        actions::clear(self.database).await?;
        Ok(no_content())
    }

    /// Finds a trace, marks it as viewed, and reserves memory for a response about it.
    async fn open(&self, id: &str) -> Result<([u8; 16], MemoryReservation), Problem> {
        let trace = trace_id(id)?;
        let found = actions::find(self.database, trace).await?;
        let found = found.ok_or_else(|| no_trace(id))?;
        let mut reservation = MemoryReservation::for_answer();
        // For the rows that are read, and for what is made of them.
        reservation.resize(usize::try_from(3 * found.bytes).unwrap_or(usize::MAX))?;
        actions::mark_viewed(self.database, found.id, found.looked, self.now).await;
        Ok((trace, reservation))
    }

    /// Marks a trace as viewed, and answers whether it exists.
    async fn view(&self, id: &str) -> Result<Response<Bytes>, Problem> {
        let found = actions::find(self.database, trace_id(id)?).await?;
        let found = found.ok_or_else(|| no_trace(id))?;
        actions::mark_viewed(self.database, found.id, found.looked, self.now).await;
        Ok(Response::new(Bytes::new()))
    }

    async fn pin(&self, id: &str) -> Result<Response<Bytes>, Problem> {
        match actions::pin(self.database, self.bounds, trace_id(id)?).await? {
            PinOutcome::Done => Ok(no_content()),
            PinOutcome::Missing => Err(no_trace(id)),
            PinOutcome::Full => {
                let (traces, bytes) = actions::max_pinned(self.bounds);
                let problem = format!(
                    "the trace '{id}' can't be pinned: pinned traces may be no more than {traces} and take no \
                     more than {bytes} bytes, a quarter of what is kept; unpin another"
                );
                Err(Problem::new(StatusCode::CONFLICT, problem))
            }
        }
    }

    async fn unpin(&self, id: &str) -> Result<Response<Bytes>, Problem> {
        match actions::unpin(self.database, trace_id(id)?).await? {
            true => Ok(no_content()),
            false => Err(no_trace(id)),
        }
    }

    async fn trace(&self, id: &str) -> Result<Response<Bytes>, Problem> {
        let (trace, reservation) = self.open(id).await?;
        let rows = spans::trace_rows(self.database, trace).await?;
        let spans = spans::view_of(&rows).ok_or_else(|| no_trace(id))?;
        let incoming = links::incoming(self.database, trace).await?;
        let id = hex::encode(&trace);
        let trace = view::trace::rows(&id, &spans, &incoming);
        Ok(large(to_json(&trace), reservation))
    }

    /// Which spans of a trace meet a query.
    async fn hits(&self, id: &str) -> Result<Response<Bytes>, Problem> {
        let query = Filter::read_query(self.uri)?;
        let (trace, _reservation) = self.open(id).await?;
        let rows = spans::trace_rows(self.database, trace).await?;
        let spans = spans::view_of(&rows).ok_or_else(|| no_trace(id))?;
        let hits = view::hits::hits(&trace, &spans, &query);
        Ok(json_response(&json!({ "spans": hits })))
    }

    /// What the spans of a trace have.
    async fn trace_facets(&self, id: &str) -> Result<Response<Bytes>, Problem> {
        let (trace, _reservation) = self.open(id).await?;
        let rows = spans::trace_rows(self.database, trace).await?;
        let spans = spans::view_of(&rows).ok_or_else(|| no_trace(id))?;
        Ok(json_response(&facets::of_trace(&spans)))
    }

    async fn otlp(&self, id: &str) -> Result<Response<Bytes>, Problem> {
        let (trace, reservation) = self.open(id).await?;
        let json = export::one(self.database, trace).await?;
        let json = json.ok_or_else(|| no_trace(id))?;
        let mut response = large(json, reservation);
        let name = format!(
            "attachment; filename=\"trace-{}.json\"",
            hex::encode(&trace)
        );
        if let Ok(name) = HeaderValue::try_from(name) {
            response.headers_mut().insert(CONTENT_DISPOSITION, name);
        }
        Ok(response)
    }

    async fn span(&self, trace: &str, span: &str) -> Result<Response<Bytes>, Problem> {
        let name = SpanName::parse(span).ok_or_else(|| {
            Problem::bad_request("a span id has 16 hexadecimal digits, not all 0")
        })?;
        // The whole trace is read to find one span.
        let (id, _reservation) = self.open(trace).await?;
        let found = span_details(self.database, id, name).await?;
        found.map(|span| json_response(&span)).ok_or_else(|| {
            let problem = format!("there is no span '{span}' in the trace '{trace}'");
            Problem::new(StatusCode::NOT_FOUND, problem)
        })
    }

    async fn graph(&self) -> Result<Response<Bytes>, Problem> {
        let filter = Filter::read(self.uri)?;
        let data = store_graph::graph(self.database, &filter, self.now).await?;
        Ok(json_response(&graph::build_graph(data).to_json()))
    }
}

/// All of one span, with what links to it and what it links to. None if it is not stored.
pub(crate) async fn span_details(
    database: &impl Database,
    trace: [u8; 16],
    name: SpanName,
) -> Result<Option<serde_json::Value>, DatabaseError> {
    let rows = spans::trace_rows(database, trace).await?;
    let Some(whole) = spans::view_of(&rows) else {
        return Ok(None);
    };
    let Some(found) = view::span::find(&whole, name) else {
        return Ok(None);
    };
    let targets = view::links::targets(&found.span);
    let links = SpanLinks {
        stored: links::stored(database, &targets).await?,
        sources: links::sources(database, trace, name.id).await?,
        trace: &whole,
    };
    Ok(Some(view::span::details(&found, &links)))
}

/// 200 with JSON that holds its memory reservation until it is sent.
fn large(json: Vec<u8>, mut reservation: MemoryReservation) -> Response<Bytes> {
    struct Held {
        json: Vec<u8>,
        _reservation: MemoryReservation,
    }
    impl AsRef<[u8]> for Held {
        fn as_ref(&self) -> &[u8] {
            &self.json
        }
    }
    // A failure to grow changes nothing: the memory is in use already.
    let _ = reservation.resize(json.len());
    let held = Held {
        json,
        _reservation: reservation,
    };
    let kind = HeaderValue::from_static("application/json");
    with_body(StatusCode::OK, kind, Bytes::from_owner(held))
}

fn no_content() -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

fn trace_id(text: &str) -> Result<[u8; 16], Problem> {
    hex::decode_id(text)
        .ok_or_else(|| Problem::bad_request("a trace id has 32 hexadecimal digits, not all 0"))
}

fn no_trace(id: &str) -> Problem {
    let problem = format!("there is no trace '{id}': it has not arrived, or is gone already");
    Problem::new(StatusCode::NOT_FOUND, problem)
}
