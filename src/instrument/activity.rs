//! The spans of leaves and steps. Source: the semantic conventions' "Database client spans" with the pages of each
//! system, "gRPC" and "HTTP spans", in the version of the schema URL. Names that are not stable in it are spelled out.

use opentelemetry::KeyValue;
use opentelemetry::trace::{Span as _, SpanBuilder, SpanKind, Status};
use opentelemetry_semantic_conventions::attribute as semconv;

use super::attributes::{error_type, reason};
use super::faults::filling;
use super::span::Span;
use super::{EndedSpan, RequestSpan};
use crate::simulate::activity::plan::PlannedActivity;
use crate::simulate::activity::system::SystemKind;
use crate::simulate::activity::{Activity, ActivityKind, Leaf};

const DB_OPERATION_PARAMETER_INDEX: &str = "db.operation.parameter.index";
const RPC_SYSTEM_NAME: &str = "rpc.system.name";
const RPC_METHOD: &str = "rpc.method";
const RPC_RESPONSE_STATUS_CODE: &str = "rpc.response.status_code";

/// The open span of a call of a leaf, or of a run of a step.
#[derive(Debug)]
#[must_use = "the span ends when it is dropped"]
pub struct ActivitySpan(Span);

impl RequestSpan<'_> {
    /// Opens the span of a call or a run, within that of a step or else within the SERVER span.
    pub fn activity_span(&self, activity: &Activity, outer: Option<&ActivitySpan>) -> ActivitySpan {
        let builder = match &activity.kind {
            ActivityKind::Leaf(leaf) => {
                let (name, attributes) = describe(&activity.name, leaf);
                SpanBuilder::from_name(name)
                    .with_kind(SpanKind::Client)
                    .with_attributes(attributes)
            }
            ActivityKind::Step(_) => {
                SpanBuilder::from_name(activity.name.clone()).with_kind(SpanKind::Internal)
            }
        };
        let outer = outer.map_or(&self.span, |ActivitySpan(outer)| outer);
        ActivitySpan(Span::open(
            self.tracer(),
            builder,
            Some(&outer.context),
            outer.recording.clone(),
        ))
    }

    /// This many calls of leaves and runs of steps were left out because of APP_MAX_SPANS.
    pub fn activities_left_out(&mut self, count: usize) {
        let count = super::attributes::count("tracing_tail.spans.left_out", count);
        self.span.span.set_attribute(count);
    }
}

impl ActivitySpan {
    /// Ends the span with the code with which the call or the run failed, if it did. Returns it if a report lists it.
    pub fn end(self, planned: &PlannedActivity<'_>, failure: Option<&str>) -> Option<EndedSpan> {
        let ActivitySpan(mut span) = self;
        if !span.span.is_recording() {
            return span.end();
        }
        let mut attributes = Vec::new();
        match &planned.activity.kind {
            ActivityKind::Leaf(leaf) => {
                attributes.extend(response_status(leaf.system.kind, failure));
            }
            ActivityKind::Step(filler) => {
                attributes.extend(filling("tracing_tail.work.attribute.", *filler));
                for _ in 0..filler.events {
                    span.event("tracing_tail.work.event", Vec::new());
                }
            }
        }
        attributes.extend(reason(planned.reason));
        if let Some(code) = failure {
            attributes.push(error_type(code.to_owned()));
            span.span.set_status(Status::error(""));
        }
        span.span.set_attributes(attributes);
        span.end()
    }
}

/// The name of a leaf's span, and the attributes with which it starts.
fn describe(host: &str, leaf: &Leaf) -> (String, Vec<KeyValue>) {
    let Leaf {
        system, operation, ..
    } = leaf;
    let collection = leaf.collection.as_deref();
    let mut about = Attributes(Vec::with_capacity(10));
    let name = match system.kind {
        SystemKind::Http => {
            let path = collection.unwrap_or_default().trim_start_matches('/');
            about.add(semconv::HTTP_REQUEST_METHOD, operation);
            about.add(semconv::URL_FULL, &["https://", host, "/", path].concat());
            operation.clone()
        }
        SystemKind::Grpc => {
            let method = [collection.unwrap_or(host), "/", operation].concat();
            about.add(RPC_SYSTEM_NAME, system.name);
            about.add(RPC_METHOD, &method);
            method
        }
        kind => {
            about.add(semconv::DB_SYSTEM_NAME, system.name);
            about.add(semconv::DB_OPERATION_NAME, operation);
            let summary = match collection.filter(|_| kind != SystemKind::Redis) {
                Some(collection) => {
                    about.add(semconv::DB_COLLECTION_NAME, collection);
                    [operation, " ", collection].concat()
                }
                None => operation.clone(),
            };
            if let Some(namespace) = &leaf.namespace {
                about.add(semconv::DB_NAMESPACE, namespace);
            }
            if let SystemKind::Postgresql | SystemKind::Mysql = kind {
                about.add(semconv::DB_QUERY_SUMMARY, &summary);
            }
            if kind == SystemKind::Elasticsearch {
                let index = collection.unwrap_or_default();
                let slash = if index.is_empty() { "" } else { "/" };
                let port = system.port.to_string();
                let url = [
                    "http://", host, ":", &port, "/", index, slash, "_", operation,
                ];
                about.add(semconv::HTTP_REQUEST_METHOD, "POST");
                about.add(semconv::URL_FULL, &url.concat());
                if !index.is_empty() {
                    about.add(DB_OPERATION_PARAMETER_INDEX, index);
                }
            }
            if let Some(text) = query_text(kind, operation, collection) {
                about.add(semconv::DB_QUERY_TEXT, &text);
            }
            summary
        }
    };
    let Attributes(mut attributes) = about;
    attributes.extend(super::attributes::server(host.to_owned(), system.port));
    (name, attributes)
}

struct Attributes(Vec<KeyValue>);

impl Attributes {
    #[inline(never)]
    fn add(&mut self, key: &'static str, value: &str) {
        self.0.push(KeyValue::new(key, value.to_owned()));
    }
}

/// A query with parameters instead of values, for the operations that are known.
fn query_text(kind: SystemKind, operation: &str, collection: Option<&str>) -> Option<String> {
    let is_numbered = kind == SystemKind::Postgresql;
    let [one, two] = if is_numbered {
        ["$1", "$2"]
    } else {
        ["?", "?"]
    };
    let name = collection.unwrap_or_default();
    let parts: &[&str] = match (kind, operation) {
        (SystemKind::Redis, _) => &[operation, " ?"],
        (SystemKind::Elasticsearch, "search") => &[r#"{"query":{"term":{"id":"?"}}}"#],
        _ if name.is_empty() => return None,
        (SystemKind::Mongodb | SystemKind::Elasticsearch, _) => return None,
        (_, "SELECT") => &["SELECT * FROM ", name, " WHERE id = ", one],
        (_, "INSERT") => &[
            "INSERT INTO ",
            name,
            " (id, data) VALUES (",
            one,
            ", ",
            two,
            ")",
        ],
        (_, "UPDATE") => &["UPDATE ", name, " SET data = ", one, " WHERE id = ", two],
        (_, "DELETE") => &["DELETE FROM ", name, " WHERE id = ", one],
        _ => return None,
    };
    Some(parts.concat())
}

/// The status of a leaf's response, if the system has one for it.
fn response_status(kind: SystemKind, failure: Option<&str>) -> Option<KeyValue> {
    let (key, success) = match kind {
        SystemKind::Http => {
            let status = failure.unwrap_or("200").parse::<i64>().ok();
            return status.map(|it| KeyValue::new(semconv::HTTP_RESPONSE_STATUS_CODE, it));
        }
        SystemKind::Grpc => (RPC_RESPONSE_STATUS_CODE, Some("OK")),
        SystemKind::Elasticsearch => (semconv::DB_RESPONSE_STATUS_CODE, Some("200")),
        _ => (semconv::DB_RESPONSE_STATUS_CODE, None),
    };
    let code = failure.or(success)?;
    Some(KeyValue::new(key, code.to_owned()))
}
