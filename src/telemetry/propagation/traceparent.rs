//! The `traceparent` header: `version "-" trace-id "-" parent-id "-" trace-flags`.
//!
//! Rejects what the grammar does not allow, upper-case digits included, and ids of zeros.
//! Source: <https://www.w3.org/TR/trace-context-2/#traceparent-header>.

use http::HeaderName;
use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};

pub(super) const HEADER: HeaderName = HeaderName::from_static("traceparent");

/// The trace id is random: trace-flags bit 1 of level 2 ("Random Trace ID Flag").
pub(super) const RANDOM: TraceFlags = TraceFlags::new(0x02);

/// Reads the header, and of later versions the part that is known today ("Versioning of traceparent").
pub(super) fn parse(text: &str) -> Option<SpanContext> {
    let text = text.trim_matches([' ', '\t']);
    let (version, text) = split_hex(text, 2)?;
    let (trace_id, text) = split_hex(text.strip_prefix('-')?, 32)?;
    let (span_id, text) = split_hex(text.strip_prefix('-')?, 16)?;
    let (flags, rest) = split_hex(text.strip_prefix('-')?, 2)?;
    let is_later = version != "00" && rest.starts_with('-');
    if version == "ff" || !(rest.is_empty() || is_later) {
        return None;
    }
    let trace_id = TraceId::from_hex(trace_id).ok()?;
    let span_id = SpanId::from_hex(span_id).ok()?;
    let flags = TraceFlags::new(u8::from_str_radix(flags, 16).ok()?);
    let known = flags & (TraceFlags::SAMPLED | RANDOM);
    let context = SpanContext::new(trace_id, span_id, known, true, TraceState::default());
    context.is_valid().then_some(context)
}

/// Splits off a number of lower-case hexadecimal digits. opentelemetry would accept upper case and a sign too.
fn split_hex(text: &str, digits: usize) -> Option<(&str, &str)> {
    let (hex, rest) = text.split_at_checked(digits)?;
    let is_digit = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
    hex.bytes().all(is_digit).then_some((hex, rest))
}

/// Writes the header.
pub(super) fn format(span: &SpanContext) -> String {
    let flags = span.trace_flags().to_u8();
    format!("00-{}-{}-{flags:02x}", span.trace_id(), span.span_id())
}

/// Sets the random flag of a trace's first span.
pub fn with_random_flag(root: &SpanContext) -> SpanContext {
    SpanContext::new(
        root.trace_id(),
        root.span_id(),
        root.trace_flags() | RANDOM,
        root.is_remote(),
        root.trace_state().clone(),
    )
}
