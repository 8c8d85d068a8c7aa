//! The page's JSON of a span, compared with the span.

use std::rc::Rc;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use serde_json::Value as Json;
use tracing_tail_viewer::store::spans::TraceSpans;

use crate::seam::show;

/// The maximum of spans of an export that are compared.
const MAX_SPANS: usize = 16;

/// Panics if the page would show another value than the span has.
pub(crate) fn spans(export: &ExportTraceServiceRequest) {
    let whole = whole(export);
    for (_, _, span) in whole.spans.iter().take(MAX_SPANS) {
        let with_its_id = whole
            .spans
            .iter()
            .filter(|(_, _, one)| one.span_id == span.span_id);
        let Ok(id) = <[u8; 8]>::try_from(&span.span_id[..]) else {
            continue;
        };
        // One of several may be shown.
        if with_its_id.count() == 1 {
            of_span(span, &show(&whole, id).expect("it is there"));
        }
    }
}

fn of_span(span: &Span, shown: &Json) {
    assert_eq!(shown["name"], *span.name);
    assert_eq!(shown["start_ns"], span.start_time_unix_nano.to_string());
    assert_eq!(shown["end_ns"], span.end_time_unix_nano.to_string());
    attributes(&span.attributes, &shown["attributes"]);
    for (event, shown) in span.events.iter().zip(array(&shown["events"])) {
        assert_eq!(shown["name"], *event.name);
        attributes(&event.attributes, &shown["attributes"]);
    }
    assert_eq!(array(&shown["events"]).len(), span.events.len());
    assert_eq!(array(&shown["links"]).len(), span.links.len());
}

fn attributes(attributes: &[KeyValue], shown: &Json) {
    let shown = array(shown);
    assert_eq!(shown.len(), attributes.len());
    for (attribute, shown) in attributes.iter().zip(shown) {
        assert_eq!(shown["key"], *attribute.key);
        value(attribute.value.as_ref(), &shown["value"]);
    }
}

/// A number may be shown as a number, or as a text of its own form.
fn value(value: Option<&AnyValue>, shown: &Json) {
    match value.and_then(|value| value.value.as_ref()) {
        None | Some(Value::StringValueStrindex(_)) => assert!(shown.is_null(), "{shown}"),
        Some(Value::StringValue(text)) => assert_eq!(shown, text),
        Some(Value::BoolValue(flag)) => assert_eq!(plain(shown), flag.to_string()),
        Some(Value::IntValue(integer)) => assert_eq!(plain(shown), integer.to_string()),
        Some(Value::DoubleValue(double)) => is_double(*double, &plain(shown)),
        Some(Value::ArrayValue(list)) => {
            let items = array(shown);
            assert_eq!(items.len(), list.values.len());
            for (one, shown) in list.values.iter().zip(items) {
                self::value(Some(one), shown);
            }
        }
        Some(Value::KvlistValue(list)) => {
            for (at, entry) in list.values.iter().enumerate() {
                // Of two entries with one key the last one counts, as in JSON.
                let mut later = list.values[at + 1..].iter();
                if later.all(|later| later.key != entry.key) {
                    self::value(entry.value.as_ref(), &shown[&entry.key]);
                }
            }
        }
        Some(Value::BytesValue(bytes)) => {
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(plain(shown), hex);
        }
    }
}

fn is_double(double: f64, shown: &str) {
    let read: f64 = shown
        .parse()
        .unwrap_or_else(|_| panic!("{double} is shown as {shown}"));
    assert!(
        read.to_bits() == double.to_bits() || (read.is_nan() && double.is_nan()),
        "{shown}"
    );
}

fn plain(shown: &Json) -> String {
    match shown {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn array(shown: &Json) -> &[Json] {
    shown.as_array().map_or(&[], Vec::as_slice)
}

/// All spans of an export as if they were of one trace.
fn whole(export: &ExportTraceServiceRequest) -> TraceSpans {
    let mut whole = TraceSpans::default();
    for resource in &export.resource_spans {
        let head = ResourceSpans {
            scope_spans: Vec::new(),
            ..resource.clone()
        };
        whole
            .resources
            .push(Rc::new(("a service".to_owned(), head)));
        for scope in &resource.scope_spans {
            whole.scopes.push(Rc::new(ScopeSpans {
                spans: Vec::new(),
                ..scope.clone()
            }));
            let at = (whole.resources.len() - 1, whole.scopes.len() - 1);
            let spans = scope.spans.iter().map(|span| (at.0, at.1, span.clone()));
            whole.spans.extend(spans);
        }
    }
    whole
}

/// Whether an export has an infinite double or NaN, for which opentelemetry-proto writes null in JSON.
pub(crate) fn is_not_finite(json: &[u8]) -> bool {
    let null = b"\"doubleValue\":null";
    json.windows(null.len()).any(|part| part == null)
}
