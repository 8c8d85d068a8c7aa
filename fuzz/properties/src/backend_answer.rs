//! What a backend answers. The input: a byte for the format, then the answer.
//!
//! A span that is read has ids. OTLP in protobuf is what prost decodes, span by span. A refusal has no control characters.

use opentelemetry::trace::{SpanId, TraceId};
use opentelemetry_proto::tonic::trace::v1::TracesData;
use prost::Message as _;
use tracing_tail_cli::verify::backend::answer::{Format, read};

use crate::Target;
use crate::memory::Bound;

/// See the module.
pub const TARGET: Target = Target {
    name: "backend_answer",
    property,
    // A few bytes of protobuf are a whole span.
    memory: Bound {
        constant: 256 << 10,
        per_byte: 2 << 10,
    },
};

fn property(input: &[u8]) {
    let Some((format, body)) = input.split_first() else {
        return;
    };
    let format = match format % 4 {
        0 => Format::OtlpJson,
        1 => Format::OtlpProtobuf,
        2 => Format::JaegerOlder,
        _ => Format::Zipkin,
    };
    let spans = match read(format, body) {
        Ok(spans) => spans,
        Err(problem) => {
            assert!(!problem.contains(char::is_control), "{problem:?}");
            return;
        }
    };
    for span in &spans {
        assert_ne!(span.trace_id, TraceId::INVALID);
        assert_ne!(span.span_id, SpanId::INVALID);
        assert_ne!(span.parent, Some(SpanId::INVALID));
    }
    if format == Format::OtlpProtobuf {
        let decoded = TracesData::decode(body).expect("what is read can be decoded");
        let groups = decoded.resource_spans.into_iter();
        let scopes = groups.flat_map(|group| group.scope_spans);
        let names: Vec<_> = scopes
            .flat_map(|scope| scope.spans)
            .map(|span| span.name)
            .collect();
        let read: Vec<_> = spans.into_iter().map(|span| span.name).collect();
        assert_eq!(read, names);
    }
}
