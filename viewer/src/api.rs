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
use crate::store::{read, write};
use crate::{detail, graph};

/// The beginning of every path.
pub const PREFIX: &str = "/traces/api/";

/// Answers a request to `endpoint`, which is its path after [`PREFIX`].
///
/// # Errors
/// The problem to answer instead.
pub async fn answer(
    database: &impl Database,
    endpoint: &str,
    request: &Parts,
) -> Result<Response<Bytes>, Problem> {
    let words: Vec<&str> = endpoint.split('/').collect();
    let known = matches!(
        words[..],
        ["traces" | "services" | "graph" | "counts"]
            | ["traces", _]
            | ["traces", _, "otlp"]
            | ["traces", _, "spans", _]
    );
    if !known {
        let problem = format!("there is no endpoint '{endpoint}'");
        return Err(Problem::new(StatusCode::NOT_FOUND, problem));
    }
    let asked = Asked {
        database,
        uri: &request.uri,
    };
    match (&request.method, &words[..]) {
        (&Method::GET | &Method::HEAD, ["traces"]) => asked.traces().await,
        (&Method::DELETE, ["traces"]) => asked.clear().await,
        (&Method::GET | &Method::HEAD, ["traces", id]) => asked.trace(id).await,
        (&Method::GET | &Method::HEAD, ["traces", id, "otlp"]) => asked.otlp(id).await,
        (&Method::GET | &Method::HEAD, ["traces", id, "spans", span]) => asked.span(id, span).await,
        (&Method::GET | &Method::HEAD, ["services"]) => {
            let services = read::services(database).await?;
            Ok(answer_json(&json!({ "services": services })))
        }
        (&Method::GET | &Method::HEAD, ["graph"]) => asked.graph().await,
        (&Method::GET | &Method::HEAD, _) => Ok(answer_json(&read::counts(database).await?)),
        (method, path) => {
            let problem = format!("{method} is not possible on '{endpoint}'");
            let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, problem);
            let mut response = problem.response();
            let allowed = if path == ["traces"] {
                "GET, HEAD, DELETE"
            } else {
                "GET, HEAD"
            };
            let allowed = HeaderValue::from_static(allowed);
            response.headers_mut().insert(ALLOW, allowed);
            Ok(response)
        }
    }
}

struct Asked<'r, D> {
    database: &'r D,
    uri: &'r Uri,
}

impl<D: Database> Asked<'_, D> {
    async fn traces(&self) -> Result<Response<Bytes>, Problem> {
        let filter = Filter::read(self.uri)?;
        // Before the traces: what changes in between is then asked for again, and not missed.
        let counts = read::counts(self.database).await?;
        let mut traces = read::traces(self.database, &filter).await?;
        let limit = usize::try_from(filter.limit).unwrap_or(usize::MAX);
        let more = traces.len() > limit;
        traces.truncate(limit);
        let last = traces.last();
        let changed = match (filter.changed_after, last) {
            (Some(_), Some(last)) if more => last.changed,
            _ => counts.changed,
        };
        Ok(answer_json(&json!({
            "traces": traces,
            "more": more,
            "before": last.map(|last| last.id),
            "changed": changed,
            "oldest": counts.oldest,
            "total": counts.traces,
        })))
    }

    async fn clear(&self) -> Result<Response<Bytes>, Problem> {
        write::clear(self.database).await?;
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = StatusCode::NO_CONTENT;
        Ok(response)
    }

    async fn trace(&self, id: &str) -> Result<Response<Bytes>, Problem> {
        let trace = trace_id(id)?;
        let records = read::records(self.database, trace).await?;
        if records.is_empty() {
            return Err(no_trace(id));
        }
        Ok(answer_json(&detail::trace(&hex(&trace), &records)))
    }

    async fn otlp(&self, id: &str) -> Result<Response<Bytes>, Problem> {
        let trace = trace_id(id)?;
        let records = read::records(self.database, trace).await?;
        if records.is_empty() {
            return Err(no_trace(id));
        }
        let mut response = answer_json(&detail::otlp(records));
        let name = format!("attachment; filename=\"trace-{}.json\"", hex(&trace));
        if let Ok(name) = HeaderValue::try_from(name) {
            response.headers_mut().insert(CONTENT_DISPOSITION, name);
        }
        Ok(response)
    }

    async fn span(&self, trace: &str, span: &str) -> Result<Response<Bytes>, Problem> {
        let id = parse::<8>(span)
            .ok_or_else(|| Problem::bad("a span id has 16 hexadecimal digits, not all 0"))?;
        let record = read::record(self.database, trace_id(trace)?, id).await?;
        let found = record.as_ref().and_then(detail::span);
        found.map(|span| answer_json(&span)).ok_or_else(|| {
            let problem = format!("there is no span '{span}' in the trace '{trace}'");
            Problem::new(StatusCode::NOT_FOUND, problem)
        })
    }

    async fn graph(&self) -> Result<Response<Bytes>, Problem> {
        let filter = Filter::read(self.uri)?;
        let data = read::graph(self.database, &filter).await?;
        Ok(answer_json(&graph::draw(data)))
    }
}

fn trace_id(text: &str) -> Result<[u8; 16], Problem> {
    parse(text).ok_or_else(|| Problem::bad("a trace id has 32 hexadecimal digits, not all 0"))
}

fn no_trace(id: &str) -> Problem {
    let problem = format!("there is no trace '{id}': it has not arrived, or is gone already");
    Problem::new(StatusCode::NOT_FOUND, problem)
}
