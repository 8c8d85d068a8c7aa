//! What the newest traces that match a filter have in common: how many of them have each service, name, kind, status and
//! attribute; and the same of the spans of one trace. The page offers it as suggestions and as chips.

use foldhash::{HashMap, HashMapExt as _};
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::trace::v1::ResourceSpans;
use prost::Message as _;
use serde_json::{Value, json};

use super::matching::{Found, READ_BYTES, matching};
use super::span_view::SpanView;
use super::spans::{self, TraceSpans};
use crate::filter::Filter;
use crate::otlp::any_value::to_text;
use crate::otlp::text::truncate;
use crate::view::kind;
use crate::wasi::{Database, DatabaseError};

/// The newest traces that are counted.
const FACET_TRACES: usize = 200;
/// The most spans that are read.
const MAX_SPANS: i64 = 10_000;
/// The most attribute keys, and the most values of each that are counted. What is found later is left out.
const MAX_KEYS: usize = 200;
const MAX_COUNTED: usize = 200;
/// The most values of a key in the answer, those of the most traces.
const MAX_VALUES: usize = 20;

/// Fields of spans, which come before attributes.
const FIELDS: [&str; 4] = ["service", "name", "kind", "status"];

/// The values of one key: for each the number of traces or spans that have it, and the last of them.
type Values = HashMap<String, (usize, i64)>;

/// Counts, by key.
#[derive(Default)]
struct Facets {
    fields: [Values; FIELDS.len()],
    attributes: HashMap<String, Values>,
    traces: usize,
}

/// Counts values in the newest traces that match a filter.
///
/// # Errors
/// Any error of the database.
pub async fn facets(database: &impl Database, filter: &Filter) -> Result<Value, DatabaseError> {
    let matching = matching(database, filter, "t.spans", FACET_TRACES + 1).await?;
    let mut bytes = 0;
    let mut many = 0;
    let fits = |trace: &&Found| {
        bytes += trace.bytes();
        many += trace.extra()[0].integer();
        bytes <= READ_BYTES && many <= MAX_SPANS
    };
    let found = matching.found.iter().take(FACET_TRACES);
    let ids: Vec<i64> = found.take_while(fits).map(Found::id).collect();
    let rows = spans::traces_rows(database, &ids).await?;
    let mut facets = Facets::default();
    for trace in spans::views_of(&rows) {
        facets.add(&trace);
    }
    let more = ids.len() < matching.found.len() || matching.unread.is_some();
    Ok(json!({ "traces": facets.traces, "more": more, "keys": facets.keys() }))
}

/// Counts values in the spans of a trace.
pub fn of_trace(trace: &TraceSpans<SpanView<'_>>) -> Value {
    let mut facets = Facets::default();
    for (number, (resource, _, span)) in (0..).zip(&trace.spans) {
        facets.resource(&trace.resources[*resource], number);
        facets.span(span, number);
    }
    json!({ "spans": trace.spans.len(), "keys": facets.keys() })
}

impl Facets {
    fn add(&mut self, trace: &TraceSpans<SpanView<'_>>) {
        self.traces += 1;
        for resource in &trace.resources {
            self.resource(resource, trace.id);
        }
        for (_, _, span) in &trace.spans {
            self.span(span, trace.id);
        }
    }

    /// Adds what the spans of a resource have. `of` is the number of what is counted.
    fn resource(&mut self, (service, resource): &(String, ResourceSpans), of: i64) {
        count(&mut self.fields[0], service, of);
        for one in resource.resource.iter().flat_map(|one| &one.attributes) {
            self.attribute(one, of);
        }
    }

    fn span(&mut self, span: &SpanView<'_>, of: i64) {
        count(&mut self.fields[1], span.name, of);
        count(&mut self.fields[2], kind(span.kind), of);
        let status = if span.error { "error" } else { "ok" };
        count(&mut self.fields[3], status, of);
        for encoded in span.attributes() {
            if let Ok(one) = KeyValue::decode(encoded) {
                self.attribute(&one, of);
            }
        }
    }

    fn attribute(&mut self, one: &KeyValue, of: i64) {
        let key = truncate(&one.key);
        if !self.attributes.contains_key(key) {
            if self.attributes.len() >= MAX_KEYS {
                return;
            }
            self.attributes.insert(key.to_owned(), Values::new());
        }
        if let Some(values) = self.attributes.get_mut(key) {
            let value = one.value.as_ref().map(to_text).unwrap_or_default();
            count(values, &value, of);
        }
    }

    /// The fields, then the attributes by name.
    fn keys(&self) -> Vec<Value> {
        let mut attributes: Vec<_> = self.attributes.iter().collect();
        attributes.sort_by_key(|(key, _)| key.as_str());
        let fields = FIELDS.iter().zip(&self.fields);
        let fields = fields.map(|(key, values)| key_json(key, true, values));
        let attributes = attributes.iter();
        let attributes = attributes.map(|(key, values)| key_json(key, false, values));
        fields.chain(attributes).collect()
    }
}

/// Counts a value once for each trace or span, of which this is the number.
#[inline(never)]
fn count(values: &mut Values, value: &str, of: i64) {
    let value = truncate(value);
    if let Some((many, last)) = values.get_mut(value) {
        if *last != of {
            *many += 1;
            *last = of;
        }
    } else if values.len() < MAX_COUNTED {
        values.insert(value.to_owned(), (1, of));
    }
}

#[inline(never)]
fn key_json(key: &str, field: bool, values: &Values) -> Value {
    let mut all: Vec<(&str, usize)> = Vec::with_capacity(values.len());
    for (value, (many, _)) in values {
        all.push((value, *many));
    }
    all.sort_by(|one, other| other.1.cmp(&one.1).then(one.0.cmp(other.0)));
    all.truncate(MAX_VALUES);
    json!({ "key": key, "field": field, "values": all, "more": values.len() > MAX_VALUES })
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::super::tests::{batch, span, stored, text};
    use super::*;

    #[test]
    fn counts_each_value_once_for_a_trace() {
        let tagged = |trace, id, value: &str| {
            let mut span = span(trace, id, 0);
            span.attributes = vec![KeyValue {
                key: "k".to_owned(),
                value: text(value),
                ..KeyValue::default()
            }];
            span
        };
        let spans = vec![
            tagged(1, 1, "a"),
            tagged(1, 2, "a"),
            tagged(2, 3, "b"),
            tagged(3, 4, "b"),
        ];
        let batches = [batch("shop", spans)];
        let database = stored(&batches);
        let filter = Filter::read(&"/?q=k~%22%22".parse().unwrap()).unwrap();
        let facets = block_on(facets(&database, &filter)).unwrap();
        assert_eq!(
            (&facets["traces"], &facets["more"]),
            (&3.into(), &false.into())
        );
        let key = |key: &str| {
            let keys = facets["keys"].as_array().unwrap().iter();
            keys.clone().find(|one| one["key"] == key).unwrap()["values"].clone()
        };
        assert_eq!(key("service"), json!([["shop", 3]]));
        assert_eq!(key("k"), json!([["b", 2], ["a", 1]]));
    }

    #[test]
    fn counts_the_spans_of_a_trace() {
        let spans = vec![span(1, 1, 0), span(1, 2, 1), span(1, 3, 1)];
        let id = spans[0].trace_id.clone().try_into().unwrap();
        let batches = [batch("shop", spans)];
        let database = stored(&batches);
        let rows = block_on(spans::trace_rows(&database, id)).unwrap();
        let facets = of_trace(&spans::view_of(&rows).unwrap());
        assert_eq!(facets["spans"], 3);
        assert_eq!(facets["keys"][0]["values"], json!([["shop", 3]]));
        let keys = facets["keys"].as_array().unwrap().iter();
        let service = keys.clone().find(|one| one["key"] == "service.name");
        assert_eq!(service.unwrap()["values"], json!([["shop", 3]]));
    }
}
