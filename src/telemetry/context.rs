//! W3C Trace Context: from a request's headers, onto a downstream call, and on each answer.
//!
//! A malformed `traceparent` starts a new trace, and its `tracestate` is dropped with it.
//! Source: <https://www.w3.org/TR/trace-context-2/>.

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
const TRACERESPONSE: HeaderName = HeaderName::from_static("traceresponse");
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// The trace id is random: trace-flags bit 1 of level 2 (section 3.2.2.5.2).
const RANDOM: TraceFlags = TraceFlags::new(0x02);

/// Says in the flags of a trace's first span that the trace id is random.
pub fn with_random_id(root: &SpanContext) -> SpanContext {
    SpanContext::new(
        root.trace_id(),
        root.span_id(),
        root.trace_flags() | RANDOM,
        root.is_remote(),
        root.trace_state().clone(),
    )
}

/// The caller's span, where the headers name one.
pub fn extract(headers: &HeaderMap) -> Option<SpanContext> {
    let mut values = headers.get_all(TRACEPARENT).iter();
    let parent = parse(values.next()?.to_str().ok()?)?;
    // Two parents are none (section 3.2.1: the header is a single value).
    if values.next().is_some() {
        return None;
    }
    let state = state(headers).unwrap_or_default();
    Some(SpanContext::new(
        parent.trace_id(),
        parent.span_id(),
        parent.trace_flags(),
        true,
        state,
    ))
}

/// The headers that make `span` the parent of what an outbound request leads to.
pub fn headers(span: &SpanContext) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(TRACEPARENT, value(&format_parent(span)));
    let state = span.trace_state().header();
    if !state.is_empty() {
        headers.insert(TRACESTATE, value(&state));
    }
    headers
}

/// Tells the client which span served it, in `traceresponse` and `server-timing`.
pub fn announce(span: &SpanContext, headers: &mut HeaderMap) {
    let parent = format_parent(span);
    headers.insert(
        SERVER_TIMING,
        value(&format!("traceparent;desc=\"{parent}\"")),
    );
    headers.insert(TRACERESPONSE, value(&parent));
}

/// The span that served a downstream call, from its answer's `traceresponse`.
pub fn served_by(headers: &HeaderMap) -> Option<SpanContext> {
    parse(headers.get(TRACERESPONSE)?.to_str().ok()?)
}

fn value(text: &str) -> HeaderValue {
    HeaderValue::try_from(text).expect("hexadecimal digits, and a checked tracestate")
}

fn format_parent(span: &SpanContext) -> String {
    format!(
        "00-{}-{}-{:02x}",
        span.trace_id(),
        span.span_id(),
        span.trace_flags().to_u8()
    )
}

/// Reads `version "-" trace-id "-" parent-id "-" trace-flags`, and of versions to come the part
/// that is known today (section 4.3).
fn parse(text: &str) -> Option<SpanContext> {
    let mut fields = text.trim_matches([' ', '\t']).split('-');
    let version = hex(fields.next()?, 2)?;
    let trace_id = TraceId::from_hex(hex(fields.next()?, 32)?).ok()?;
    let span_id = SpanId::from_hex(hex(fields.next()?, 16)?).ok()?;
    let flags = u8::from_str_radix(hex(fields.next()?, 2)?, 16).ok()?;
    if version == "ff" || (version == "00" && fields.next().is_some()) {
        return None;
    }
    let known = TraceFlags::new(flags) & (TraceFlags::SAMPLED | RANDOM);
    let context = SpanContext::new(trace_id, span_id, known, true, TraceState::default());
    context.is_valid().then_some(context)
}

fn hex(field: &str, digits: usize) -> Option<&str> {
    let lower = field
        .bytes()
        .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    (field.len() == digits && lower).then_some(field)
}

fn state(headers: &HeaderMap) -> Option<TraceState> {
    let values: Result<Vec<_>, _> = headers
        .get_all(TRACESTATE)
        .iter()
        .map(HeaderValue::to_str)
        .collect();
    values.ok()?.join(",").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const SPAN: &str = "00f067aa0ba902b7";

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &str)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_str(value).unwrap(),
            )
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn reads_a_valid_parent() {
        let table = [
            ("00", "01", 1, "sampled"),
            ("00", "00", 0, "not sampled"),
            ("00", "03", 3, "sampled, with a random trace id"),
            ("00", "ff", 3, "unknown flags are cleared"),
            ("01", "01-more", 1, "a version to come"),
        ];
        for (version, flags, known, reason) in table {
            let text = format!("{version}-{TRACE}-{SPAN}-{flags}");
            let parent = extract(&headers(&[("traceparent", &text)])).expect(reason);
            assert_eq!(parent.trace_id().to_string(), TRACE);
            assert_eq!(parent.span_id().to_string(), SPAN);
            assert_eq!(parent.trace_flags(), TraceFlags::new(known), "{reason}");
            assert!(parent.is_remote());
        }
    }

    #[test]
    fn starts_anew_on_a_malformed_parent() {
        let zero_trace = "0".repeat(32);
        let zero_span = "0".repeat(16);
        let table = [
            (String::new(), "empty"),
            (format!("ff-{TRACE}-{SPAN}-01"), "forbidden version"),
            (format!("00-{zero_trace}-{SPAN}-01"), "all-zero trace id"),
            (format!("00-{TRACE}-{zero_span}-01"), "all-zero span id"),
            (
                format!("00-{}-{SPAN}-01", TRACE.to_uppercase()),
                "upper case",
            ),
            (format!("00-{TRACE}-{SPAN}"), "no flags"),
            (format!("00-{TRACE}-{SPAN}-1"), "short flags"),
            (
                format!("00-{TRACE}-{SPAN}-01-more"),
                "version 00 with more fields",
            ),
            (format!("0-{TRACE}-{SPAN}-01"), "short version"),
            (format!("00-{TRACE}0-{SPAN}-01"), "long trace id"),
            (
                format!("00-+{}-{SPAN}-01", &TRACE[1..]),
                "no hexadecimal digit",
            ),
        ];
        for (text, reason) in table {
            assert_eq!(
                extract(&headers(&[("traceparent", &text)])),
                None,
                "{reason}"
            );
        }
        let parent = format!("00-{TRACE}-{SPAN}-01");
        let twice = headers(&[("traceparent", &parent), ("traceparent", &parent)]);
        assert_eq!(extract(&twice), None, "two parents");
    }

    #[test]
    fn carries_the_context_on() {
        let parent = format!("00-{TRACE}-{SPAN}-03");
        let inbound = headers(&[
            ("traceparent", &parent),
            ("tracestate", "a=1"),
            ("tracestate", "b=2"),
        ]);
        let outbound = super::headers(&extract(&inbound).unwrap());
        assert_eq!(
            outbound,
            headers(&[("traceparent", &parent), ("tracestate", "a=1,b=2")])
        );
    }

    #[test]
    fn announces_the_span_and_reads_the_announcement() {
        let parent = format!("00-{TRACE}-{SPAN}-01");
        let span = extract(&headers(&[("traceparent", &parent)])).unwrap();
        let mut answer = HeaderMap::new();
        announce(&span, &mut answer);
        let timing = format!("traceparent;desc=\"{parent}\"");
        assert_eq!(
            answer,
            headers(&[("server-timing", &timing), ("traceresponse", &parent)])
        );
        assert_eq!(served_by(&answer).unwrap().span_id(), span.span_id());
    }
}
