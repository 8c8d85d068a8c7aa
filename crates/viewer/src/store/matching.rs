//! Finds the traces that match a filter.
//!
//! SQL selects the traces that may match. The rest is decided here, by the summary and, if that is not enough, by the
//! spans. A response reads a limited number of bytes of spans; it then reports where it stopped, and the next request
//! continues from there.

use super::failure;
use super::pieces::{self, Piece};
use super::span_view::SpanView;
use super::spans::{self, TraceSpans};
use crate::attribute_set::AttributeSet;
use crate::filter::{AttributeFilter, CallFilter, Filter, Shape, TextFilter};
use crate::interaction::TraceSpan;
use crate::tree::{self, SpanIdentity};
use crate::wasi::{Database, DatabaseError, Row, Value};

/// Spans are read in groups of this many bytes.
pub(super) const READ_BYTES: usize = 4 * 1024 * 1024;
/// After this many bytes of spans a response ends.
pub(super) const MAX_READ_BYTES: usize = 16 * 1024 * 1024;
/// The fewest rows that are read at a time.
const MIN_ROWS: usize = 50;

/// The columns that a filter needs. The attributes follow, then the caller's columns.
const FILTER_COLUMNS: &str = "t.id, t.changed, t.services, t.names, t.pieces, t.trace_id";
/// The number of these columns, with the attributes.
const COLUMNS: usize = 7;

/// A trace that may match.
pub(super) struct Found(Row);

impl Found {
    pub(super) fn id(&self) -> i64 {
        self.0[0].integer()
    }

    /// Its cursor in the order of the response.
    pub(super) fn cursor(&self, filter: &Filter) -> i64 {
        match filter.changed_after {
            Some(_) => self.changed(),
            None => self.id(),
        }
    }

    pub(super) fn changed(&self) -> i64 {
        self.0[1].integer()
    }

    /// Each service with its spans and errors.
    pub(super) fn services(&self) -> Vec<(String, i64, i64)> {
        pieces::decode(self.0[2].text())
    }

    /// The bytes of its spans.
    pub(super) fn bytes(&self) -> usize {
        let pieces: Vec<Piece> = pieces::decode(self.0[4].text());
        pieces.iter().map(|piece| piece.length).sum()
    }

    /// The caller's columns.
    pub(super) fn extra(&self) -> &[Value] {
        &self.0[COLUMNS..]
    }

    pub(super) fn trace_id(&self) -> &[u8] {
        self.0[5].blob()
    }

    /// Whether it matches, by its summary. None if only the spans can decide.
    fn matches(&self, filter: &Filter) -> Option<bool> {
        let mut open = !filter.calls.is_empty() || filter.query.needs_spans();
        match self.has_shape(filter.shape.as_ref()) {
            Some(false) => return Some(false),
            Some(true) => {}
            None => open = true,
        }
        match self.has_attributes(&filter.attributes) {
            Some(false) => return Some(false),
            Some(true) => {}
            None => open = true,
        }
        if filter.services.is_empty() && filter.texts.is_empty() && filter.calls.is_empty() {
            return (!open).then_some(true);
        }
        let services = self.services();
        // Services are sorted by name.
        let has = |service: &str| {
            let order = |(name, ..): &(String, i64, i64)| name.as_str().cmp(service);
            services.binary_search_by(order).is_ok()
        };
        if !filter.services.iter().all(|service| has(service))
            || !filter.calls.iter().all(|call| call.may_be_among(has))
        {
            return Some(false);
        }
        for text in &filter.texts {
            if text.is_id(self.trace_id()) || services.iter().any(|(name, ..)| text.is_in(name)) {
                continue;
            }
            match &self.0[3] {
                Value::Text(names) if names.lines().any(|name| text.is_in(name)) => {}
                Value::Text(_) => return Some(false),
                _ => open = true,
            }
        }
        (!open).then_some(true)
    }

    /// Whether it has this shape, besides what SQL has checked. None if only the spans can tell where its error began.
    fn has_shape(&self, shape: Option<&Shape>) -> Option<bool> {
        let Some(shape) = shape else {
            return Some(true);
        };
        if self.services().len() != shape.services {
            return Some(false);
        }
        let began = self.failure_service();
        shape.may_have_failed(self.may_fail(), began.as_deref())
    }

    /// Whether it has all of these attributes. None if the summary lacks some attributes of the trace, or if key or value
    /// were truncated.
    fn has_attributes(&self, wanted: &[AttributeFilter]) -> Option<bool> {
        if wanted.is_empty() {
            return Some(true);
        }
        let Value::Blob(own) = &self.0[COLUMNS - 1] else {
            return None;
        };
        // SQLite may have found eight bytes that belong to two adjacent hashes.
        let own = AttributeSet::decode(own);
        let lacks = |hashes: &[u64]| !own.contains_any(hashes);
        if wanted.iter().filter_map(AttributeFilter::hashes).any(lacks) {
            return Some(false);
        }
        wanted
            .iter()
            .all(AttributeFilter::is_decided_by_hashes)
            .then_some(true)
    }
}

impl Filter {
    /// Whether a trace matches, by its spans. Services are not checked again.
    fn matches_spans(&self, trace_id: &[u8], trace: &TraceSpans<SpanView<'_>>) -> bool {
        let of_resources = trace.resources.iter();
        let of_resources = of_resources.filter_map(|one| one.1.resource.as_ref());
        let attribute = |wanted: &AttributeFilter| {
            let mut of_resources = of_resources.clone().flat_map(|one| &one.attributes);
            let mut spans = trace.spans.iter();
            of_resources.any(|one| wanted.matches(one))
                || spans.any(|(_, _, span)| wanted.matches_any(span.attributes()))
        };
        let text = |text: &TextFilter| {
            text.is_id(trace_id)
                || trace.spans.iter().any(|(resource, _, span)| {
                    let names = [span.name, trace.service(*resource)];
                    names.iter().any(|name| text.is_in(name))
                })
        };
        let call = |call: &CallFilter| {
            let spans = trace_spans(trace);
            let calls = |one: &TraceSpan<'_, '_>| {
                let caller = one.parent.map(|parent| spans[parent].service);
                caller.is_some_and(|caller| call.matches(caller, one.service))
            };
            spans.iter().any(calls)
        };
        let shape = |shape: &Shape| {
            let began = failure::of_trace(trace).unwrap_or_default();
            let has_errors = trace.spans.iter().any(|(_, _, span)| span.error);
            shape.may_have_failed(has_errors, Some(&began)) == Some(true)
        };
        self.attributes.iter().all(attribute)
            && self.shape.iter().all(shape)
            && self.texts.iter().all(text)
            && self.calls.iter().all(call)
            && self.query.matches(trace_id, trace)
    }
}

/// The spans of a trace, each with its service and its parent.
pub fn trace_spans<'s, 'b>(trace: &'s TraceSpans<SpanView<'b>>) -> Vec<TraceSpan<'s, 'b>> {
    with_parents(trace, &tree::parents(&identities(trace)))
}

/// What tells each span of a trace from the others.
pub fn identities<'s>(trace: &'s TraceSpans<SpanView<'_>>) -> Vec<SpanIdentity<'s>> {
    let identity = |(resource, _, span): &'s (usize, usize, SpanView<'_>)| SpanIdentity {
        id: span.id,
        parent: span.parent,
        kind: span.kind,
        service: trace.service(*resource),
    };
    trace.spans.iter().map(identity).collect()
}

/// The spans of a trace with these parents, as [`tree::parents`] returns them.
pub fn with_parents<'s, 'b>(
    trace: &'s TraceSpans<SpanView<'b>>,
    parents: &[(Option<usize>, bool)],
) -> Vec<TraceSpan<'s, 'b>> {
    let mut spans = Vec::with_capacity(trace.spans.len());
    for ((resource, _, span), (parent, _)) in trace.spans.iter().zip(parents) {
        spans.push(TraceSpan {
            service: trace.service(*resource),
            span,
            parent: *parent,
        });
    }
    spans
}

/// The traces that match.
#[derive(Default)]
pub(super) struct Matching {
    pub(super) found: Vec<Found>,
    /// The cursor of the last trace that was considered, if not all were.
    pub(super) unread: Option<i64>,
    /// The bytes of spans that were read.
    pub(super) read: usize,
}

/// The first traces that match, at most `wanted` and a few.
pub(super) async fn matching(
    database: &impl Database,
    filter: &Filter,
    columns: &str,
    wanted: usize,
) -> Result<Matching, DatabaseError> {
    matching_from(database, filter, columns, (Start::of(filter), wanted)).await
}

/// Where a search goes on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Start {
    /// Of the last trace that was considered.
    pub(super) cursor: i64,
    /// The bytes of spans that were read before.
    pub(super) read: usize,
}

impl Start {
    /// The start of a search.
    pub(super) fn of(filter: &Filter) -> Start {
        Start {
            cursor: filter.changed_after.unwrap_or(i64::MAX),
            read: 0,
        }
    }
}

pub(super) async fn matching_from(
    database: &impl Database,
    filter: &Filter,
    columns: &str,
    (start, wanted): (Start, usize),
) -> Result<Matching, DatabaseError> {
    let (condition, values) = filter.sql();
    let (order, further) = match filter.changed_after {
        Some(_) => ("t.changed", "t.changed > ?"),
        None => ("t.id DESC", "t.id < ?"),
    };
    let attributes = match filter.attributes.is_empty() {
        true => "NULL",
        false => "t.attributes",
    };
    let select = format!(
        "SELECT {FILTER_COLUMNS}, {attributes}, {columns} FROM tracing_tail_traces t WHERE {condition} AND {further}
        ORDER BY {order} LIMIT ?"
    );
    let mut cursor = start.cursor;
    let mut matching = Matching {
        read: start.read,
        ..Matching::default()
    };
    loop {
        let many = (wanted - matching.found.len()).max(MIN_ROWS.min(wanted));
        let mut values = values.clone();
        values.extend([
            cursor.into(),
            i64::try_from(many).unwrap_or(i64::MAX).into(),
        ]);
        let rows = database.execute(&select, values).await?;
        let last = rows.len() < many;
        let found: Vec<_> = rows.into_iter().map(Found).collect();
        cursor = found.last().map_or(cursor, |last| last.cursor(filter));
        matching.add(database, filter, found).await?;
        if last || matching.found.len() >= wanted || matching.unread.is_some() {
            return Ok(matching);
        }
    }
}

impl Matching {
    /// Adds those that match, in their order, until too many bytes of spans were read.
    async fn add(
        &mut self,
        database: &impl Database,
        filter: &Filter,
        found: Vec<Found>,
    ) -> Result<(), DatabaseError> {
        let mut open = Vec::new();
        let mut bytes = 0;
        let mut rest = found.into_iter().peekable();
        while let Some(one) = rest.next() {
            let cursor = one.cursor(filter);
            match one.matches(filter) {
                Some(false) => {}
                Some(true) => self.found.push(one),
                None => {
                    open.push(one.id());
                    bytes += one.bytes();
                    self.found.push(one);
                }
            }
            if bytes > READ_BYTES || (rest.peek().is_none() && !open.is_empty()) {
                let rows = spans::traces_rows(database, &open).await?;
                let traces = spans::views_of(&rows);
                let passes = |one: &Found| {
                    let mut traces = traces.iter().filter(|trace| trace.id == one.id());
                    !open.contains(&one.id())
                        || traces.any(|trace| filter.matches_spans(one.trace_id(), trace))
                };
                self.found.retain(passes);
                self.read += bytes;
                open.clear();
                bytes = 0;
                if self.read >= MAX_READ_BYTES {
                    self.unread = Some(cursor);
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;
    use opentelemetry_proto::tonic::common::v1::KeyValue;
    use opentelemetry_proto::tonic::trace::v1::Span;

    use super::super::cache::InstanceCache;
    use super::super::tests::{batch, span, text};
    use super::super::{list, schema, write};
    use super::*;
    use crate::settings::Bounds;
    use crate::wasi::native::NativeDatabase;

    const BOUNDS: Bounds = Bounds {
        traces: 100,
        bytes: 1 << 30,
    };

    fn store(traces: impl Iterator<Item = Vec<Span>>) -> NativeDatabase {
        let database = NativeDatabase::new();
        block_on(schema::prepare(&database, 1)).unwrap();
        let mut cache = InstanceCache::default();
        for spans in traces {
            let batches = [batch("shop", spans)];
            block_on(write::store(&database, &mut cache, &BOUNDS, &batches, 1)).unwrap();
        }
        database
    }

    fn ask(database: &NativeDatabase, query: &str) -> list::Page {
        let filter = Filter::read(&format!("/?{query}").parse().unwrap()).unwrap();
        block_on(list::traces(database, &filter)).unwrap()
    }

    /// A trace of 3 MiB, whose names only its spans tell.
    fn large(trace: u64) -> Vec<Span> {
        let spans = (1..=13).map(|id| {
            let mut span = span(trace, id, 0);
            span.name = format!("op\n{trace}");
            span.attributes = vec![KeyValue {
                key: "large".to_owned(),
                value: text(&"x".repeat(250_000)),
                ..KeyValue::default()
            }];
            span
        });
        spans.collect()
    }

    #[test]
    fn an_answer_reads_so_many_spans_and_the_next_goes_on_from_there() {
        let database = store((1..=10).map(large));
        let first = ask(&database, "text=op%0A1&limit=5");
        assert!(first.more && first.traces.len() == 1, "{first:?}");
        let second = ask(
            &database,
            &format!("text=op%0A1&before={}", first.last.unwrap()),
        );
        let found = second.traces.iter().map(|trace| trace.name.as_str());
        assert_eq!(
            (found.collect::<Vec<_>>(), second.more),
            (vec!["op\n1"], false)
        );
        let mut changed = 0;
        let mut found = Vec::new();
        loop {
            let page = ask(&database, &format!("text=op%0A1&changed_after={changed}"));
            found.extend(page.traces.iter().map(|trace| trace.name.clone()));
            if !page.more {
                break;
            }
            assert!(page.last.unwrap() > changed, "it goes on");
            changed = page.last.unwrap();
        }
        assert_eq!(found, ["op\n1", "op\n10"]);
    }

    #[test]
    fn one_span_meets_all_terms_of_a_query_and_none_a_negated_one() {
        let attribute = |key: &str, value: &str| KeyValue {
            key: key.to_owned(),
            value: text(value),
            ..KeyValue::default()
        };
        let mut first = span(1, 1, 0);
        first.name = "POST /buy".to_owned();
        first.attributes = vec![attribute("items", "7"), attribute("env", "test")];
        let mut second = span(1, 2, 1);
        second.name = "SELECT".to_owned();
        second.kind = 3;
        second.attributes = vec![attribute("rows", "10")];
        let mut third = span(2, 3, 0);
        third.attributes = vec![attribute("http.response.status_code", "503")];
        third.end_time_unix_nano = third.start_time_unix_nano + 300_000_000;
        let database = store([vec![first, second], vec![third]].into_iter());
        let table: &[(&str, &[i64])] = &[
            ("items=7", &[1]),
            ("items>=7 name~post", &[1]),
            ("items>7", &[]),
            ("rows>9 items=7", &[]),
            ("rows>9 kind=client", &[1]),
            ("rows!=9", &[1]),
            ("-env=test", &[2]),
            ("-rows~\"\"", &[2]),
            ("status>=500", &[2]),
            ("status=503 service=shop", &[2]),
            ("duration>=300ms", &[2]),
            ("duration<300ms select", &[1]),
            ("service=shop", &[2, 1]),
            ("service=stock", &[]),
            ("-service=shop", &[]),
            ("-service=stock", &[2, 1]),
            ("service!=shop", &[]),
            ("status=error", &[]),
            ("-status=error", &[2, 1]),
            ("service.name=shop", &[2, 1]),
        ];
        for (query, expected) in table {
            let encoded: String = form_urlencoded::byte_serialize(query.as_bytes()).collect();
            let page = ask(&database, &format!("q={encoded}"));
            let found: Vec<i64> = page.traces.iter().map(|trace| trace.id).collect();
            assert_eq!(&found, expected, "{query}");
        }
    }

    #[test]
    fn eight_bytes_of_two_hashes_are_no_attribute() {
        let mut two = span(1, 1, 0);
        let value = |value: &str| KeyValue {
            key: "k".to_owned(),
            value: text(value),
            ..KeyValue::default()
        };
        two.attributes = (0..40).map(|number| value(&number.to_string())).collect();
        let database = store(std::iter::once(two).map(|span| vec![span]));
        let select = "SELECT attributes FROM tracing_tail_traces";
        let own = block_on(database.execute(select, Vec::new())).unwrap();
        let own = own[0][0].blob().to_vec();
        let filter = Filter::read(&"/?attribute=k=7".parse().unwrap()).unwrap();
        let found = Found(vec![
            Value::Null,
            Value::Null,
            Value::Null,
            Value::Null,
            Value::Null,
            Value::Null,
            Value::Blob(own[1..own.len() - 7].to_vec()),
        ]);
        let passes = found.has_attributes(&filter.attributes);
        assert_eq!(
            passes,
            Some(false),
            "the bytes are there, but begin elsewhere"
        );
        assert_eq!(ask(&database, "attribute=k=7").traces.len(), 1);
    }
}
