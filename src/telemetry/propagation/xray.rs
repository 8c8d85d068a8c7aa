//! The tracing header of AWS X-Ray: `Root=1-{time}-{unique};Parent={span};Sampled={0, 1 or ?}`, in any order.
//!
//! Other fields are ignored: `Self` and `Lineage`, which load balancers and Lambda add, and those of applications.
//! Without `Parent` there is no span to be the parent, as in the header that a load balancer makes.
//! Source: the AWS X-Ray Developer Guide, "Tracing header".

use http::HeaderMap;
use opentelemetry::trace::TraceId;

use super::ids::{self, ACCEPT, DEFER, DENY, first};
use super::{SamplingState, TraceContext};

pub(super) const TRACE_HEADER: &str = "x-amzn-trace-id";

/// How many digits of a trace id are its time.
const TIME: usize = 8;

#[inline(never)]
pub(super) fn extract(headers: &HeaderMap) -> Option<TraceContext> {
    let fields = first(headers, TRACE_HEADER)?.split(';');
    let (mut root, mut parent, mut said) = (None, None, DEFER);
    for field in fields {
        match field.trim_matches([' ', '\t']).split_once('=') {
            Some(("Root", value)) => root = Some(trace_id(value)?),
            Some(("Parent", value)) if value.len() == 16 => parent = Some(ids::span_id(value)?),
            Some(("Sampled", "1")) => said = ACCEPT,
            Some(("Sampled", "0")) => said = DENY,
            Some(("Sampled", "?" | "")) => said = DEFER,
            Some(("Parent" | "Sampled", _)) => return None,
            _ => {}
        }
    }
    Some(ids::context(root?, parent?, said))
}

/// `1-{8 digits}-{24 digits}`.
fn trace_id(text: &str) -> Option<TraceId> {
    let (time, unique) = text.strip_prefix("1-")?.split_once('-')?;
    if time.len() != TIME || unique.len() != 32 - TIME {
        return None;
    }
    ids::trace_id(&[time, unique].concat())
}

#[inline(never)]
pub(super) fn inject(context: &TraceContext, headers: &mut HeaderMap) {
    let span = &context.span;
    if !span.is_valid() {
        return;
    }
    let sampled = match (context.sampling, span.is_sampled()) {
        (SamplingState::Deferred, _) => "?",
        (_, true) => "1",
        (_, false) => "0",
    };
    let (trace_id, span_id) = (span.trace_id().to_string(), span.span_id().to_string());
    let (time, unique) = trace_id.split_at(TIME);
    let text = [
        "Root=1-",
        time,
        "-",
        unique,
        ";Parent=",
        &span_id,
        ";Sampled=",
        sampled,
    ];
    ids::set(headers, TRACE_HEADER, text.concat());
}

#[cfg(test)]
mod tests;
