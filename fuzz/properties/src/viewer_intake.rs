//! An export, from the request to the API's view of its spans. The input: a byte, whose lowest bit says that the
//! body is protobuf, the next one that it is compressed, and the two after it how; then the body.
//!
//! Whatever the response does not reject is stored, and exported unchanged. There is no internal error.

use std::collections::BTreeSet;

use bytes::Bytes;
use http::{Method, Request, StatusCode, Uri};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use serde_json::Value;
use tracing_tail_viewer::api::PREFIX;

use crate::Target;
use crate::memory::Bound;
use crate::seam::protobuf_of_json;
use crate::viewer::Viewer;

/// See the module.
pub const TARGET: Target = Target {
    name: "viewer_intake",
    property,
    // 8 MiB of a body may be in memory several times, and may be compressed a thousand times.
    memory: Bound {
        constant: 64 << 20,
        per_byte: 4096,
    },
};

/// How a body may be compressed.
const CODINGS: [&str; 4] = ["gzip", "deflate", "zstd", "zlib"];
/// The maximum of spans that are requested, each by a request of its own.
const MAX_ASKED: usize = 4;

fn property(input: &[u8]) {
    let Some((kind, body)) = input.split_first() else {
        return;
    };
    let protobuf = kind & 1 == 1;
    let coding = (kind & 2 == 2).then(|| CODINGS[usize::from(kind >> 2 & 3)]);
    let content_type = match protobuf {
        true => "application/x-protobuf",
        false => "application/json",
    };
    let mut request = Request::post("/v1/traces").header("content-type", content_type);
    if let Some(coding) = coding {
        request = request.header("content-encoding", coding);
    }
    let viewer = Viewer::new();
    let request = request.body(Bytes::copy_from_slice(body));
    let answer = viewer.receive(request.expect("it is well-formed"));
    let status = answer.status();
    assert!(
        [200, 400, 413, 429].contains(&status.as_u16()),
        "an export is answered {answer:?}"
    );
    if status != StatusCode::OK || coding.is_some() {
        return;
    }
    let sent = match protobuf {
        true => ExportTraceServiceRequest::decode(body),
        false => {
            ExportTraceServiceRequest::decode(&protobuf_of_json(body).expect("it was taken")[..])
        }
    };
    // Of several that are well-formed one may not be.
    let Ok(sent) = sent else { return };
    let complete = [&b""[..], b"{}"].contains(&&answer.body()[..]);
    is_there(&viewer, &sent, complete);
}

fn is_there(viewer: &Viewer, sent: &ExportTraceServiceRequest, complete: bool) {
    let sent: Vec<&Span> = spans(sent).collect();
    let traces: BTreeSet<&[u8]> = sent.iter().map(|span| &span.trace_id[..]).collect();
    let mut stored = BTreeSet::new();
    for trace in &traces {
        let path = format!("traces/{}/otlp", hex(trace));
        let Some(json) = ask(viewer, &path, complete) else {
            continue;
        };
        if crate::shown::is_not_finite(&json) {
            return;
        }
        let exported = protobuf_of_json(&json).expect("what is exported can be taken");
        let exported =
            ExportTraceServiceRequest::decode(&exported[..]).expect("it was just written");
        for span in spans(&exported) {
            // NaN is not equal to itself.
            let same = |one: &&Span| one.encode_to_vec() == span.encode_to_vec();
            assert!(sent.iter().any(same), "it came otherwise: {span:?}");
            stored.insert((span.trace_id.clone(), span.span_id.clone()));
        }
    }
    if complete && traces.len() <= 100 {
        // Of two spans with one id the first stays.
        let missing =
            |span: &&&Span| !stored.contains(&(span.trace_id.clone(), span.span_id.clone()));
        let missing = sent.iter().find(missing);
        assert_eq!(missing, None, "a span is missing, and nobody said so");
    }
    for span in sent.iter().take(MAX_ASKED) {
        let path = format!(
            "traces/{}/spans/{}",
            hex(&span.trace_id),
            hex(&span.span_id)
        );
        if let Some(json) = ask(viewer, &path, complete) {
            let shown: Value = serde_json::from_slice(&json).expect("every answer is JSON");
            let same = |one: &&&Span| one.trace_id == span.trace_id && one.span_id == span.span_id;
            let names = sent
                .iter()
                .filter(same)
                .any(|one| shown["name"] == *one.name);
            assert!(names, "{shown} has another name");
        }
    }
}

fn ask(viewer: &Viewer, path: &str, must_be_there: bool) -> Option<Bytes> {
    let uri: Uri = format!("{PREFIX}{path}").parse().ok()?;
    let answer = viewer.ask(Method::GET, uri);
    let found = answer.status() == StatusCode::OK;
    assert!(found || !must_be_there, "{path} is answered {answer:?}");
    assert!(
        !answer.status().is_server_error(),
        "{path} is answered {answer:?}"
    );
    found.then(|| answer.into_body())
}

fn spans(export: &ExportTraceServiceRequest) -> impl Iterator<Item = &Span> {
    let scopes = export
        .resource_spans
        .iter()
        .flat_map(|one| &one.scope_spans);
    scopes.flat_map(|scope| &scope.spans)
}

fn hex(id: &[u8]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}
