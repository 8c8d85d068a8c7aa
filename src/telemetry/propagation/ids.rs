//! Ids and header values, as the formats other than W3C Trace Context write them.

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};

use super::{SamplingState, TraceContext};

// Not inlined: five formats call these some forty times, and copies would be 2 % of the component.

/// Reads a trace id of 1 to 32 hexadecimal digits, which stand for the last of 32. An id of zeros is none.
#[inline(never)]
pub(super) fn trace_id(hex: &str) -> Option<TraceId> {
    let id = TraceId::from_hex(digits(hex, 32)?).ok()?;
    (id != TraceId::INVALID).then_some(id)
}

/// Reads a span id of 1 to 16 hexadecimal digits, which stand for the last of 16. An id of zeros is none.
#[inline(never)]
pub(super) fn span_id(hex: &str) -> Option<SpanId> {
    let id = SpanId::from_hex(digits(hex, 16)?).ok()?;
    (id != SpanId::INVALID).then_some(id)
}

/// opentelemetry would accept a sign too.
fn digits(hex: &str, most: usize) -> Option<&str> {
    let fits = (1..=most).contains(&hex.len());
    (fits && hex.bytes().all(|b| b.is_ascii_hexdigit())).then_some(hex)
}

/// What a field about sampling says: the state, and whether the trace is sampled.
pub(super) type Said = (SamplingState, bool);

pub(super) const ACCEPT: Said = (SamplingState::Decided, true);
pub(super) const DENY: Said = (SamplingState::Decided, false);
pub(super) const DEFER: Said = (SamplingState::Deferred, false);
pub(super) const DEBUG: Said = (SamplingState::Debug, true);

/// The context of a caller's span.
#[inline(never)]
pub(super) fn context(
    trace_id: TraceId,
    span_id: SpanId,
    (sampling, sampled): Said,
) -> TraceContext {
    let flags = TraceFlags::default().with_sampled(sampled);
    TraceContext {
        span: SpanContext::new(trace_id, span_id, flags, true, TraceState::default()),
        state: String::new(),
        sampling,
    }
}

/// A decision without a span.
pub(super) fn decision(said: Said) -> TraceContext {
    context(TraceId::INVALID, SpanId::INVALID, said)
}

/// The header's first value without white space around it ("Getter argument": the first one); empty if it is
/// not ASCII, which is malformed in every format.
#[inline(never)]
pub(super) fn first<'h>(headers: &'h HeaderMap, name: &'static str) -> Option<&'h str> {
    let text = headers
        .get(HeaderName::from_static(name))?
        .to_str()
        .unwrap_or_default();
    Some(text.trim_matches([' ', '\t']))
}

/// Sets a header.
#[inline(never)]
pub(super) fn set(headers: &mut HeaderMap, name: &'static str, text: String) {
    headers.insert(HeaderName::from_static(name), value(text));
}

/// Whether text is true or false, as a number or as a word in any case.
#[inline(never)]
pub(super) fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" => Some(true),
        "0" => Some(false),
        _ if text.eq_ignore_ascii_case("true") => Some(true),
        _ if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

#[inline(never)]
pub(super) fn value(text: String) -> HeaderValue {
    HeaderValue::try_from(text).expect("hexadecimal digits, or text that came from headers")
}

#[cfg(test)]
pub(super) mod fixtures {
    use super::*;

    pub(crate) const ID_128: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    pub(crate) const ID_64: &str = "a3ce929d0e0e4736";
    pub(crate) const SPAN: &str = "00f067aa0ba902b7";

    /// A request's headers.
    pub(crate) fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    /// A context as text: ids, whether it is sampled, and the state; a dash instead of no ids.
    pub(crate) fn found(context: Option<TraceContext>) -> Option<String> {
        let context = context?;
        let span = &context.span;
        let ids = match span.is_valid() {
            true => format!("{} {}", span.trace_id(), span.span_id()),
            false => "-".to_owned(),
        };
        assert!(span.is_remote());
        let sampled = u8::from(span.is_sampled());
        Some(format!("{ids} {sampled} {:?}", context.sampling))
    }
}
