//! `/traces/api/...`: what the page asks, and anybody may. `docs/viewer-api.md` describes it.

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_DISPOSITION, HeaderValue};
use http::request::Parts;
use http::{Method, Response, StatusCode, Uri};
use serde_json::json;

use crate::filter::Filter;
use crate::host::Database;
use crate::ids::{hex, parse};
use crate::respond::{Problem, json as answer_json};
use crate::settings::Bounds;
use crate::store::keep::{self, Pin};
use crate::store::spans::{self, Whole};
use crate::store::{list, read};
use crate::{detail, graph};

/// The beginning of every path.
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
    let words: Vec<&str> = endpoint.split('/').collect();
    let known = matches!(
        words[..],
        ["traces" | "services" | "graph" | "counts"]
            | ["traces", _]
            | ["traces", _, "otlp" | "pin"]
            | ["traces", _, "spans", _]
    );
    if !known {
        let problem = format!("there is no endpoint '{endpoint}'");
        return Err(Problem::new(StatusCode::NOT_FOUND, problem));
    }
    let asked = Asked {
        database,
        bounds,
        now,
        uri: &request.uri,
    };
    match (&request.method, &words[..]) {
        (&Method::GET | &Method::HEAD, ["traces"]) => asked.traces().await,
        (&Method::DELETE, ["traces"]) => asked.clear().await,
        (&Method::GET, ["traces", id]) => asked.trace(id).await,
        (&Method::HEAD, ["traces", id]) => asked.look(id).await,
        (&Method::GET | &Method::HEAD, ["traces", id, "otlp"]) => asked.otlp(id).await,
        (&Method::PUT, ["traces", id, "pin"]) => asked.pin(id).await,
        (&Method::DELETE, ["traces", id, "pin"]) => asked.unpin(id).await,
        (&Method::GET | &Method::HEAD, ["traces", id, "spans", span]) => asked.span(id, span).await,
        (&Method::GET | &Method::HEAD, ["services"]) => {
            let services = read::services(database).await?;
            Ok(answer_json(&json!({ "services": services })))
        }
        (&Method::GET | &Method::HEAD, ["graph"]) => asked.graph().await,
        (&Method::GET | &Method::HEAD, ["counts"]) => {
            Ok(answer_json(&read::counts(database).await?))
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

struct Asked<'r, D> {
    database: &'r D,
    bounds: &'r Bounds,
    now: i64,
    uri: &'r Uri,
}

impl<D: Database> Asked<'_, D> {
    async fn traces(&self) -> Result<Response<Bytes>, Problem> {
        let filter = Filter::read(self.uri)?;
        // Before the traces: what changes in between is then asked for again, and not missed.
        let counts = read::counts(self.database).await?;
        let page = list::traces(self.database, &filter).await?;
        let changed = match (filter.changed_after, page.last) {
            (Some(_), Some(last)) if page.more => last,
            _ => counts.changed,
        };
        let before = page.last.filter(|_| filter.changed_after.is_none());
        Ok(answer_json(&json!({
            "traces": page.traces,
            "more": page.more,
            "before": before,
            "changed": changed,
            "oldest": counts.oldest,
            "kept": counts.kept,
            "total": counts.traces,
        })))
    }

    async fn clear(&self) -> Result<Response<Bytes>, Problem> {
        keep::clear(self.database).await?;
        Ok(no_content())
    }

    /// The trace with this id, which is looked at from now on.
    async fn whole(&self, id: &str) -> Result<([u8; 16], Whole), Problem> {
        let trace = trace_id(id)?;
        let whole = spans::one(self.database, trace).await?;
        let whole = whole.ok_or_else(|| no_trace(id))?;
        keep::look(self.database, whole.id, whole.looked, self.now).await;
        Ok((trace, whole))
    }

    /// Says whether a trace is there, and that it is looked at.
    async fn look(&self, id: &str) -> Result<Response<Bytes>, Problem> {
        let found = keep::find(self.database, trace_id(id)?).await?;
        let (id, looked) = found.ok_or_else(|| no_trace(id))?;
        keep::look(self.database, id, looked, self.now).await;
        Ok(Response::new(Bytes::new()))
    }

    async fn pin(&self, id: &str) -> Result<Response<Bytes>, Problem> {
        match keep::pin(self.database, self.bounds, trace_id(id)?).await? {
            Pin::Done => Ok(no_content()),
            Pin::Missing => Err(no_trace(id)),
            Pin::Full => {
                let (traces, bytes) = keep::max_pinned(self.bounds);
                let problem = format!(
                    "the trace '{id}' can't be pinned: pinned traces may be no more than {traces} and take no \
                     more than {bytes} bytes, a quarter of what is kept; unpin another"
                );
                Err(Problem::new(StatusCode::CONFLICT, problem))
            }
        }
    }

    async fn unpin(&self, id: &str) -> Result<Response<Bytes>, Problem> {
        match keep::unpin(self.database, trace_id(id)?).await? {
            true => Ok(no_content()),
            false => Err(no_trace(id)),
        }
    }

    async fn trace(&self, id: &str) -> Result<Response<Bytes>, Problem> {
        let (trace, whole) = self.whole(id).await?;
        Ok(answer_json(&detail::trace(&hex(&trace), &whole)))
    }

    async fn otlp(&self, id: &str) -> Result<Response<Bytes>, Problem> {
        let (trace, whole) = self.whole(id).await?;
        let mut response = answer_json(&whole.export());
        let name = format!("attachment; filename=\"trace-{}.json\"", hex(&trace));
        if let Ok(name) = HeaderValue::try_from(name) {
            response.headers_mut().insert(CONTENT_DISPOSITION, name);
        }
        Ok(response)
    }

    async fn span(&self, trace: &str, span: &str) -> Result<Response<Bytes>, Problem> {
        let id = parse::<8>(span)
            .ok_or_else(|| Problem::bad("a span id has 16 hexadecimal digits, not all 0"))?;
        let found = match spans::single(self.database, trace_id(trace)?, id).await? {
            Some(whole) => detail::span(&whole, id),
            None => None,
        };
        found.map(|span| answer_json(&span)).ok_or_else(|| {
            let problem = format!("there is no span '{span}' in the trace '{trace}'");
            Problem::new(StatusCode::NOT_FOUND, problem)
        })
    }

    async fn graph(&self) -> Result<Response<Bytes>, Problem> {
        let filter = Filter::read(self.uri)?;
        let data = list::graph(self.database, &filter).await?;
        Ok(answer_json(&graph::draw(data)))
    }
}

fn no_content() -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

fn trace_id(text: &str) -> Result<[u8; 16], Problem> {
    parse(text).ok_or_else(|| Problem::bad("a trace id has 32 hexadecimal digits, not all 0"))
}

fn no_trace(id: &str) -> Problem {
    let problem = format!("there is no trace '{id}': it has not arrived, or is gone already");
    Problem::new(StatusCode::NOT_FOUND, problem)
}
