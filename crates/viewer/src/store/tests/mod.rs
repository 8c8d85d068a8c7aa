//! The store as a whole, against SQLite itself.

mod clocks;
mod eviction;
mod graphs;
mod hits;
mod linked;
mod measure;
mod queries;
mod trace_limits;

use bytes::Bytes;
use futures::executor::block_on;
use http::Uri;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use prost::Message as _;

use super::cache::{InstanceCache, REMEMBERED};
use super::limits::MAX_SPANS_PER_TRACE;
use super::outcome::StoreOutcome;
use super::write;
use super::{actions, export, graph, links, list, schema, spans, totals};
use crate::filter::Filter;
use crate::receive::batch::Batch;
use crate::receive::protobuf;
use crate::receive::rejected::RejectedSpans;
use crate::settings::Bounds;
use crate::wasi::native::NativeDatabase;
use crate::wasi::{Database as _, DatabaseError};

pub(super) const BOUNDS: Bounds = Bounds {
    traces: 100,
    bytes: 1 << 30,
};
/// Milliseconds since 1970.
pub(super) const NOW: i64 = 1_790_000_000_000;

pub(in crate::store) fn text(value: &str) -> Option<AnyValue> {
    Some(AnyValue {
        value: Some(any_value::Value::StringValue(value.to_owned())),
    })
}

pub(in crate::store) fn attribute(key: &str, value: &str) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: text(value),
        ..KeyValue::default()
    }
}

pub(in crate::store) fn trace_id(trace: u64) -> [u8; 16] {
    // The first bytes differ, as in random ids.
    let trace = trace.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (u128::from(trace) << 64 | 1).to_be_bytes()
}

/// A span of a trace. A parent of 0 means none.
pub(crate) fn span(trace: u64, id: u64, parent: u64) -> Span {
    Span {
        trace_id: trace_id(trace).to_vec(),
        span_id: id.to_be_bytes().to_vec(),
        parent_span_id: match parent {
            0 => Vec::new(),
            parent => parent.to_be_bytes().to_vec(),
        },
        name: format!("op {id}"),
        kind: 2,
        start_time_unix_nano: 1_000_000 + id,
        end_time_unix_nano: 2_000_000 + id,
        ..Span::default()
    }
}

pub(super) fn slow(mut span: Span, by: u64) -> Span {
    span.end_time_unix_nano += by;
    span
}

pub(in crate::store) fn failed(mut span: Span) -> Span {
    span.status = Some(Status {
        code: 2,
        ..Status::default()
    });
    span
}

pub(super) fn of_resource(resource: Vec<KeyValue>, spans: Vec<Span>) -> Batch {
    let export = ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(Resource {
                attributes: resource,
                ..Resource::default()
            }),
            scope_spans: vec![ScopeSpans {
                spans,
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        }],
    };
    protobuf::read(
        &Bytes::from(export.encode_to_vec()),
        RejectedSpans::default(),
    )
    .unwrap()
}

pub(crate) fn batch(service: &str, spans: Vec<Span>) -> Batch {
    of_resource(vec![attribute("service.name", service)], spans)
}

/// A database that holds these batches.
pub(in crate::store) fn stored(batches: &[Batch]) -> NativeDatabase {
    let database = NativeDatabase::new();
    block_on(schema::prepare(&database, 1)).unwrap();
    let mut cache = InstanceCache::default();
    let bounds = Bounds {
        traces: 100,
        bytes: 1 << 30,
    };
    block_on(write::store(&database, &mut cache, &bounds, batches, 1)).unwrap();
    database
}

/// A store with the memory of one instance.
pub(super) struct Store {
    pub(super) database: NativeDatabase,
    pub(super) cache: InstanceCache,
    pub(super) bounds: Bounds,
    pub(super) now: i64,
}

impl Store {
    pub(super) fn new(bounds: Bounds) -> Store {
        let database = NativeDatabase::new();
        block_on(schema::prepare(&database, NOW * 1_000_000)).unwrap();
        Store {
            database,
            cache: InstanceCache::default(),
            bounds,
            now: NOW,
        }
    }

    pub(super) fn try_take(
        &mut self,
        batches: &[Batch],
    ) -> Result<Vec<StoreOutcome>, DatabaseError> {
        let written = write::store(
            &self.database,
            &mut self.cache,
            &self.bounds,
            batches,
            self.now,
        );
        Ok(block_on(written)?.stored)
    }

    pub(super) fn take(&mut self, spans: Vec<Span>) -> StoreOutcome {
        self.try_take(&[batch("shop", spans)]).unwrap().remove(0)
    }

    pub(super) fn counts(&self) -> totals::Counts {
        block_on(totals::counts(&self.database)).unwrap()
    }

    pub(super) fn count(&self, table: &str) -> i64 {
        let select = format!("SELECT COUNT(*) FROM tracing_tail_{table}");
        block_on(self.database.execute(&select, Vec::new())).unwrap()[0][0].integer()
    }

    /// The traces that match, by the names of their roots.
    pub(super) fn list(&self, query: &str) -> String {
        let uri: Uri = format!("/?{query}").parse().unwrap();
        let filter = Filter::read(&uri).unwrap();
        let traces = block_on(list::traces(&self.database, &filter)).unwrap();
        let traces = traces.traces.iter();
        let names = traces.map(|trace| trace.name.replace("op ", ""));
        names.collect::<Vec<_>>().join(" ")
    }

    /// A trace as rows.
    pub(super) fn drawn(&self, trace: u64) -> serde_json::Value {
        let rows = block_on(spans::trace_rows(&self.database, trace_id(trace))).unwrap();
        let whole = spans::view_of(&rows).unwrap();
        let incoming = block_on(links::incoming(&self.database, trace_id(trace))).unwrap();
        serde_json::to_value(crate::view::trace::rows("", &whole, &incoming)).unwrap()
    }

    /// One span in full, by the id of its row.
    pub(super) fn details(&self, trace: u64, span: &str) -> serde_json::Value {
        let name = crate::view::SpanName::parse(span).unwrap();
        let found = crate::api::span_details(&self.database, trace_id(trace), name);
        block_on(found).unwrap().unwrap()
    }

    pub(super) fn one(&self, trace: u64) -> Option<spans::TraceSpans> {
        block_on(spans::find_trace(&self.database, trace_id(trace))).unwrap()
    }

    /// Checks that the counters match the rows.
    pub(super) fn check(&self) {
        let select = "SELECT COUNT(*), COALESCE(SUM(spans), 0), COALESCE(SUM(bytes), 0) +
            (SELECT COALESCE(SUM(length(bytes) + 60), 0) FROM tracing_tail_shared) FROM tracing_tail_traces";
        let held = &block_on(self.database.execute(select, Vec::new())).unwrap()[0];
        let counts = self.counts();
        assert_eq!(
            (counts.traces, counts.spans, counts.bytes),
            (held[0].integer(), held[1].integer(), held[2].integer())
        );
        assert!(counts.traces <= self.bounds.traces && counts.bytes <= self.bounds.bytes);
    }
}
