//! OTLP exports for a receiver of traces: those of a collector in front of a shop, and those of a single service.
//!
//! Each export is a copy of one that was encoded before, with other ids, so that a sender has almost no work.

use std::collections::HashSet;

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::Event;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use prost::Message as _;

/// When the first trace starts, in nanoseconds since 1970.
const START: u64 = 1_790_000_000_000_000_000;

/// A span's position in its trace, its kind and its name. Its parent is the previous span.
type Place = (u64, i32, &'static str);

/// The spans of a trace of a chain of services, by service.
const CHAIN: &[(&str, &[Place])] = &[
    ("shop", &[(0, 2, "POST /order"), (1, 3, "POST")]),
    ("payment", &[(2, 2, "POST /charge"), (3, 3, "POST")]),
    ("bank", &[(4, 2, "POST /transfer")]),
];
/// The spans of a service without downstreams.
const ONE: &[(&str, &[Place])] = &[("shop", &[(0, 2, "POST /order")])];

/// The contents of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// 25 traces of a chain of three services, with five spans each.
    Chains,
    /// One such trace.
    Chain,
    /// 128 traces of one span each, of one service.
    One,
    /// A trace of 10,000 spans.
    Large,
}

impl Shape {
    /// The number of traces.
    pub const fn traces(self) -> u64 {
        match self {
            Shape::Chains => 25,
            Shape::One => 128,
            Shape::Chain | Shape::Large => 1,
        }
    }

    /// The number of spans.
    pub const fn spans(self) -> u64 {
        match self {
            Shape::Chains | Shape::Chain => self.traces() * 5,
            Shape::One => self.traces(),
            Shape::Large => 10_000,
        }
    }

    fn encode(self) -> Vec<u8> {
        let large: Vec<Place> = (0..Shape::Large.spans())
            .map(|place| (place, 1, "step"))
            .collect();
        let large = [("shop", large.as_slice())];
        let services = match self {
            Shape::Chains | Shape::Chain => CHAIN,
            Shape::One => ONE,
            Shape::Large => &large,
        };
        let of_service = |(service, places): &(&str, &[Place])| {
            let traces = 0..self.traces();
            let spans = traces.flat_map(|trace| places.iter().map(move |of| self.span(trace, *of)));
            ResourceSpans {
                resource: Some(Resource {
                    attributes: vec![
                        text("service.name", service),
                        text("service.version", "1.4.2"),
                        text("telemetry.sdk.name", "opentelemetry"),
                        text("telemetry.sdk.language", "rust"),
                    ],
                    ..Resource::default()
                }),
                scope_spans: vec![ScopeSpans {
                    scope: Some(InstrumentationScope {
                        name: "shop".to_owned(),
                        ..InstrumentationScope::default()
                    }),
                    spans: spans.collect(),
                    ..ScopeSpans::default()
                }],
                ..ResourceSpans::default()
            }
        };
        let resource_spans = services.iter().map(of_service).collect();
        ExportTraceServiceRequest { resource_spans }.encode_to_vec()
    }

    /// The span at a position of a trace. In the list of random values, those of trace ids come before those of span ids.
    fn span(self, trace: u64, (place, kind, name): Place) -> Span {
        let of_trace = 2 * self.traces() + trace * (self.spans() / self.traces());
        let parent = match self {
            _ if place == 0 => None,
            // A wide tree.
            Shape::Large => Some((place - 1) / 8),
            Shape::Chains | Shape::Chain | Shape::One => Some(place - 1),
        };
        // A called span starts later and ends earlier.
        let start = START + trace * 1_000_000 + place * 10;
        let end = START + trace * 1_000_000 + 900_000 - place * 50;
        let failed = trace == 7 && place > 2;
        Span {
            trace_id: [word(2 * trace), word(2 * trace + 1)].concat(),
            span_id: word(of_trace + place).to_vec(),
            parent_span_id: parent.map_or_else(Vec::new, |place| word(of_trace + place).to_vec()),
            flags: 257,
            name: name.to_owned(),
            kind,
            start_time_unix_nano: start,
            end_time_unix_nano: end,
            attributes: vec![
                text("http.request.method", "POST"),
                text("http.route", "/process"),
                text("url.scheme", "http"),
                text("url.path", "/process"),
                text("network.protocol.version", "1.1"),
                text("server.address", "shop.example"),
                text("client.address", "192.0.2.17"),
                text("user_agent.original", "a-load/1.0"),
                text("customer.id", &trace.to_string()),
                integer("http.response.status_code", if failed { 500 } else { 200 }),
            ],
            events: vec![Event {
                time_unix_nano: start,
                name: "accepted".to_owned(),
                attributes: vec![integer("items", 2)],
                ..Event::default()
            }],
            status: failed.then(|| Status {
                code: 2,
                message: "no such account".to_owned(),
            }),
            ..Span::default()
        }
    }
}

/// Makes exports of one shape, each with ids of its own.
#[derive(Debug)]
pub struct Exports {
    template: Vec<u8>,
    /// The offsets of the random values in its ids.
    words: Vec<usize>,
}

impl Exports {
    /// Exports of this shape.
    pub fn new(shape: Shape) -> Exports {
        let template = shape.encode();
        let words = (0..2 * shape.traces() + shape.spans()).map(word);
        let words: HashSet<[u8; 8]> = words.collect();
        let found = template.windows(8).enumerate();
        let found = found.filter(|(_, word)| words.contains(*word));
        Exports {
            words: found.map(|(at, _)| at).collect(),
            template,
        }
    }

    /// The export with this number, as protobuf.
    pub fn export(&self, number: u64) -> Bytes {
        let mut export = self.template.clone();
        let mask = word(u64::MAX - number);
        for at in &self.words {
            for (byte, mask) in export[*at..*at + 8].iter_mut().zip(mask) {
                *byte ^= mask;
            }
        }
        export.into()
    }
}

fn text(key: &str, value: &str) -> KeyValue {
    attribute(key, Value::StringValue(value.to_owned()))
}

fn integer(key: &str, value: i64) -> KeyValue {
    attribute(key, Value::IntValue(value))
}

fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}

/// Eight pseudo-random bytes for each number (SplitMix64).
fn word(number: u64) -> [u8; 8] {
    let mut mixed = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (mixed ^ (mixed >> 31)).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exports_have_distinct_traces_whose_parents_are_there() {
        for shape in [Shape::Chains, Shape::One, Shape::Large] {
            let exports = Exports::new(shape);
            let (mut traces, mut spans) = (HashSet::new(), HashSet::new());
            for number in 0..3 {
                let export = ExportTraceServiceRequest::decode(exports.export(number)).unwrap();
                let of_services = export.resource_spans.iter();
                let all: Vec<&Span> = of_services
                    .flat_map(|of| &of.scope_spans[0].spans)
                    .collect();
                assert_eq!(all.len() as u64, shape.spans());
                let ids = all.iter().map(|span| (&span.trace_id, &span.span_id));
                let ids: HashSet<_> = ids.collect();
                let mut children = all.iter().filter(|span| !span.parent_span_id.is_empty());
                assert!(children.all(|span| ids.contains(&(&span.trace_id, &span.parent_span_id))));
                traces.extend(all.iter().map(|span| span.trace_id.clone()));
                spans.extend(all.iter().map(|span| span.span_id.clone()));
            }
            assert_eq!(traces.len() as u64, 3 * shape.traces());
            assert_eq!(spans.len() as u64, 3 * shape.spans());
        }
    }
}
