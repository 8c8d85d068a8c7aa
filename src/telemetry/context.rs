//! W3C Trace Context and Baggage: from a request's headers, onto a downstream call, and on each answer.
//!
//! A malformed `traceparent` starts a new trace, and its `tracestate` is dropped with it. Each
//! downstream call also carries `tracing-tail-parent`, a copy of its `traceparent` for hosts that
//! replace the latter with a context of their own.
//! Source: <https://www.w3.org/TR/trace-context-2/>, <https://www.w3.org/TR/baggage/>.

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};

use super::{baggage, tracestate};

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
const BAGGAGE: HeaderName = HeaderName::from_static("baggage");
const PARENT_COPY: HeaderName = HeaderName::from_static("tracing-tail-parent");
const TRACERESPONSE: HeaderName = HeaderName::from_static("traceresponse");
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// The trace id is random: trace-flags bit 1 of level 2 ("Random Trace ID Flag").
const RANDOM: TraceFlags = TraceFlags::new(0x02);

/// A span, and the `tracestate` of its trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceContext {
    /// The span.
    pub span: SpanContext,
    /// The list as it travels; opentelemetry's [`TraceState`] does not take all valid ones.
    pub state: String,
}

impl TraceContext {
    /// The context of a span below `parent`; that of `parent` itself where there is no such span.
    pub fn below(parent: Option<&TraceContext>, span: &SpanContext) -> TraceContext {
        let none = TraceContext {
            span: SpanContext::NONE,
            state: String::new(),
        };
        if !span.is_valid() {
            return parent.cloned().unwrap_or(none);
        }
        // The SDK drops the word that the trace id is random from unsampled spans.
        let random = parent.is_none_or(|parent| parent.span.trace_flags() & RANDOM == RANDOM);
        TraceContext {
            span: if random {
                with_random_id(span)
            } else {
                span.clone()
            },
            state: parent.map_or(none.state, |parent| parent.state.clone()),
        }
    }
}

/// What a request says of the trace that it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The caller's span, where the headers name one.
    pub parent: Option<TraceContext>,
    /// The context that a host on the way has put in the place of the caller's.
    pub host: Option<SpanContext>,
    /// The baggage that goes on; may be empty.
    pub baggage: String,
}

/// Reads the headers of a request.
pub fn extract(headers: &HeaderMap) -> Caller {
    let named = single(headers, &TRACEPARENT).and_then(parse);
    let copy = single(headers, &PARENT_COPY).and_then(parse);
    let (parent, host) = match (named, copy) {
        // A proxy may have put a span of its own in between; a host that does not know the trace
        // has put an unrelated one in its place, and its tracestate with it.
        (Some(named), Some(copy)) if named.trace_id() != copy.trace_id() => {
            (Some(with_state(&copy, String::new())), Some(named))
        }
        (Some(named), _) => {
            let state = joined(headers, &TRACESTATE).and_then(|text| tracestate::parse(&text));
            (Some(with_state(&named, state.unwrap_or_default())), None)
        }
        (None, copy) => (copy.map(|copy| with_state(&copy, String::new())), None),
    };
    Caller {
        parent,
        host,
        baggage: baggage::parse(&raw_baggage(headers)),
    }
}

/// The baggage of a request as it came, malformed members included; may be empty. A byte that is no text makes
/// its own member malformed, and no other.
pub fn raw_baggage(headers: &HeaderMap) -> String {
    let mut raw = String::new();
    for value in headers.get_all(&BAGGAGE) {
        if !raw.is_empty() {
            raw.push(',');
        }
        let char = |b: &u8| {
            if b.is_ascii() {
                char::from(*b)
            } else {
                char::REPLACEMENT_CHARACTER
            }
        };
        raw.extend(value.as_bytes().iter().map(char));
    }
    raw
}

fn with_state(span: &SpanContext, state: String) -> TraceContext {
    let known = match state.as_str() {
        "" => TraceState::default(),
        list => list.parse().unwrap_or_default(),
    };
    let (flags, remote) = (span.trace_flags(), span.is_remote());
    let span = SpanContext::new(span.trace_id(), span.span_id(), flags, remote, known);
    TraceContext { span, state }
}

/// The headers that make `parent` the parent of what an outbound request leads to.
pub fn headers(parent: &TraceContext, baggage: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if parent.span.is_valid() {
        let named = value(format_parent(&parent.span));
        headers.insert(PARENT_COPY, named.clone());
        headers.insert(TRACEPARENT, named);
    }
    if !parent.state.is_empty() {
        headers.insert(TRACESTATE, value(parent.state.clone()));
    }
    if !baggage.is_empty() {
        headers.insert(BAGGAGE, value(baggage.to_owned()));
    }
    headers
}

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

/// Tells the client which span served it, in `traceresponse` and `server-timing`. The client's own
/// span did not.
pub fn announce(span: &SpanContext, headers: &mut HeaderMap) {
    if span.is_remote() || !span.is_valid() {
        return;
    }
    let parent = format_parent(span);
    let timing = ["traceparent;desc=\"", &parent, "\""].concat();
    headers.insert(SERVER_TIMING, value(timing));
    headers.insert(TRACERESPONSE, value(parent));
}

/// The span that served a downstream call, from its answer's `traceresponse`.
pub fn served_by(headers: &HeaderMap) -> Option<SpanContext> {
    parse(headers.get(TRACERESPONSE)?.to_str().ok()?)
}

fn value(text: String) -> HeaderValue {
    HeaderValue::try_from(text).expect("hexadecimal digits, or text that came from headers")
}

fn format_parent(span: &SpanContext) -> String {
    let mut text = String::with_capacity(55);
    text.push_str("00");
    let flags = [span.trace_flags().to_u8()];
    let (trace_id, span_id) = (span.trace_id().to_bytes(), span.span_id().to_bytes());
    for field in [&trace_id[..], &span_id, &flags] {
        text.push('-');
        push_hex(&mut text, field);
    }
    text
}

/// Reads `version "-" trace-id "-" parent-id "-" trace-flags`, and of versions to come the part
/// that is known today ("Versioning of traceparent").
fn parse(text: &str) -> Option<SpanContext> {
    let text = text.trim_matches([' ', '\t']).as_bytes();
    let ([version], text) = hex(text)?;
    let (trace_id, text) = hex(text.strip_prefix(b"-")?)?;
    let (span_id, text) = hex(text.strip_prefix(b"-")?)?;
    let ([flags], rest) = hex(text.strip_prefix(b"-")?)?;
    let later = version != 0 && rest.starts_with(b"-");
    if version == 0xff || !(rest.is_empty() || later) {
        return None;
    }
    let (trace_id, span_id) = (TraceId::from_bytes(trace_id), SpanId::from_bytes(span_id));
    let known = TraceFlags::new(flags) & (TraceFlags::SAMPLED | RANDOM);
    let context = SpanContext::new(trace_id, span_id, known, true, TraceState::default());
    context.is_valid().then_some(context)
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";

fn push_hex(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        for digit in [byte >> 4, byte & 0xf] {
            text.push(char::from(DIGITS[usize::from(digit)]));
        }
    }
}

/// The bytes that a text starts with, as lower-case digits, and the rest of the text.
fn hex<const BYTES: usize>(text: &[u8]) -> Option<([u8; BYTES], &[u8])> {
    let digit = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let (digits, rest) = text.split_at_checked(2 * BYTES)?;
    let mut bytes = [0; BYTES];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some((bytes, rest))
}

/// The header's value, where it is there once: two parents are none ("A traceparent is Received").
fn single<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(first)
}

/// The header's values as one list (RFC 9110, section 5.3).
fn joined(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let values: Result<Vec<_>, _> = headers.get_all(name).iter().map(list_text).collect();
    let values = values.ok().filter(|values| !values.is_empty())?;
    Some(values.join(","))
}

/// A value's text; `HeaderValue::to_str` would refuse all that is not ASCII, and the list with it.
fn list_text(value: &HeaderValue) -> Result<&str, std::str::Utf8Error> {
    std::str::from_utf8(value.as_bytes())
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

    // Each reason begins with its clause: a heading of Trace Context level 2.

    #[test]
    fn reads_names_in_any_case() {
        let parent = format!("00-{TRACE}-{SPAN}-01");
        for [parent_name, state_name, baggage_name] in [
            ["traceparent", "tracestate", "baggage"],
            ["TraceParent", "TraceState", "Baggage"],
            ["TRACEPARENT", "TRACESTATE", "BAGGAGE"],
        ] {
            let pairs = [
                (parent_name, parent.as_str()),
                (state_name, "a=1"),
                (baggage_name, "b=2"),
            ];
            let inbound = pairs.map(|(name, value)| {
                let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
                (name, HeaderValue::from_str(value).unwrap())
            });
            let caller = extract(&inbound.into_iter().collect());
            let named = caller.parent.expect("Header Name: ASCII case-insensitive");
            assert_eq!(named.span.trace_id().to_string(), TRACE);
            assert_eq!(
                (named.state.as_str(), caller.baggage.as_str()),
                ("a=1", "b=2")
            );
        }
    }

    #[test]
    fn a_malformed_state_leaves_the_parent_alone() {
        let parent = format!("00-{TRACE}-{SPAN}-01");
        let inbound = headers(&[("traceparent", &parent), ("tracestate", "malformed")]);
        let named = extract(&inbound).parent.expect("Tracestate Header");
        assert_eq!(named.state, "");
    }

    #[test]
    fn reads_a_valid_parent() {
        let table = [
            ("00", "01", 1, "Sampled flag: set"),
            ("00", "00", 0, "Sampled flag: not set"),
            ("00", "03", 3, "Random Trace ID Flag: set"),
            ("00", "ff", 3, "Other Flags: cleared"),
            ("cc", "01", 1, "Versioning of traceparent: no more fields"),
            (
                "01",
                "01-more",
                1,
                "Versioning of traceparent: more fields in a version to come",
            ),
        ];
        for (version, flags, known, reason) in table {
            let text = format!("{version}-{TRACE}-{SPAN}-{flags}");
            let parent = extract(&headers(&[("traceparent", &text)]))
                .parent
                .expect(reason)
                .span;
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
            (String::new(), "version-format: empty"),
            (format!("ff-{TRACE}-{SPAN}-01"), "version: ff is forbidden"),
            (format!("00-{zero_trace}-{SPAN}-01"), "trace-id: all zero"),
            (format!("00-{TRACE}-{zero_span}-01"), "parent-id: all zero"),
            (
                format!("00-{}-{SPAN}-01", TRACE.to_uppercase()),
                "trace-id: upper case",
            ),
            (format!("00-{TRACE}-{SPAN}"), "version-format: no flags"),
            (format!("00-{TRACE}-{SPAN}-1"), "trace-flags: short"),
            (
                format!("00-{TRACE}-{SPAN}-01-more"),
                "version-format: more fields in version 00",
            ),
            (
                format!("01-{TRACE}-{SPAN}-01.more"),
                "Versioning of traceparent: only a dash may follow",
            ),
            (format!("0-{TRACE}-{SPAN}-01"), "version: short"),
            (format!("00-{TRACE}0-{SPAN}-01"), "trace-id: long"),
            (
                format!("00-+{}-{SPAN}-01", &TRACE[1..]),
                "trace-id: no hexadecimal digit",
            ),
        ];
        for (text, reason) in table {
            let inbound = headers(&[("traceparent", &text), ("tracestate", "a=1")]);
            assert_eq!(extract(&inbound).parent, None, "{reason}");
        }
        let parent = format!("00-{TRACE}-{SPAN}-01");
        let twice = headers(&[("traceparent", &parent), ("traceparent", &parent)]);
        assert_eq!(
            extract(&twice).parent,
            None,
            "A traceparent is Received: two of them"
        );
    }

    #[test]
    fn carries_the_context_on() {
        let parent = format!("00-{TRACE}-{SPAN}-03");
        let inbound = headers(&[
            ("traceparent", &parent),
            ("tracestate", "a=1, a@b@c=2"),
            ("tracestate", "b=2"),
            ("baggage", "x=1;p"),
            ("baggage", "y=2"),
        ]);
        let caller = extract(&inbound);
        let outbound = super::headers(&caller.parent.unwrap(), &caller.baggage);
        let expected = headers(&[
            ("tracing-tail-parent", &parent),
            ("traceparent", &parent),
            ("tracestate", "a=1,a@b@c=2,b=2"),
            ("baggage", "x=1;p,y=2"),
        ]);
        assert_eq!(outbound, expected);
    }

    #[test]
    fn a_byte_that_is_no_text_spoils_its_own_member_only() {
        let mut inbound = HeaderMap::new();
        for value in [&b"a=1,name=Andr\xe9"[..], b"b=2, c=\xc3\xa9,d=4"] {
            inbound.append("baggage", HeaderValue::from_bytes(value).unwrap());
        }
        assert_eq!(extract(&inbound).baggage, "a=1,b=2,d=4");
    }

    #[test]
    fn baggage_goes_on_without_a_trace() {
        assert_eq!(extract(&headers(&[("baggage", "x=1")])).baggage, "x=1");
    }

    #[test]
    fn the_copy_is_the_parent_where_a_host_has_replaced_the_trace() {
        let original = format!("00-{TRACE}-{SPAN}-01");
        let same_trace = format!("00-{TRACE}-1111111111111111-01");
        let other_trace = format!("00-{}-2222222222222222-01", "a".repeat(32));
        let table: [(&[(&str, &str)], _, _, _); 5] = [
            (&[("traceparent", &original)], Some(SPAN), None, "no copy"),
            (
                &[
                    ("traceparent", &same_trace),
                    ("tracing-tail-parent", &original),
                ],
                Some("1111111111111111"),
                None,
                "a proxy's span in between",
            ),
            (
                &[
                    ("traceparent", &other_trace),
                    ("tracing-tail-parent", &original),
                ],
                Some(SPAN),
                Some("2222222222222222"),
                "an unrelated trace in its place",
            ),
            (
                &[("tracing-tail-parent", &original)],
                Some(SPAN),
                None,
                "the header is gone",
            ),
            (
                &[("traceparent", &other_trace), ("tracing-tail-parent", "x")],
                Some("2222222222222222"),
                None,
                "a malformed copy",
            ),
        ];
        for (pairs, parent, host, reason) in table {
            let mut inbound = HeaderMap::new();
            for (name, text) in pairs {
                inbound.insert(*name, HeaderValue::from_str(text).unwrap());
            }
            inbound.insert("tracestate", HeaderValue::from_static("a=1"));
            let caller = extract(&inbound);
            let id = |span: &SpanContext| span.span_id().to_string();
            assert_eq!(
                caller
                    .parent
                    .as_ref()
                    .map(|parent| id(&parent.span))
                    .as_deref(),
                parent,
                "{reason}"
            );
            assert_eq!(caller.host.as_ref().map(id).as_deref(), host, "{reason}");
            let state = caller.parent.map(|parent| parent.state).unwrap_or_default();
            let replaced = host.is_some() || pairs.len() == 1 && pairs[0].0 != "traceparent";
            assert_eq!(state, if replaced { "" } else { "a=1" }, "{reason}");
        }
    }

    #[test]
    fn announces_the_span_and_reads_the_announcement() {
        let parent = format!("00-{TRACE}-{SPAN}-01");
        let read = parse(&parent).unwrap();
        let (trace, id, flags) = (read.trace_id(), read.span_id(), read.trace_flags());
        let span = SpanContext::new(trace, id, flags, false, TraceState::default());
        let mut answer = HeaderMap::new();
        announce(&span, &mut answer);
        let timing = format!("traceparent;desc=\"{parent}\"");
        assert_eq!(
            answer,
            headers(&[("server-timing", &timing), ("traceresponse", &parent)])
        );
        assert_eq!(served_by(&answer), Some(read.clone()));
        for other in [read, SpanContext::NONE] {
            let mut answer = HeaderMap::new();
            announce(&other, &mut answer);
            assert_eq!(answer, HeaderMap::new(), "no span of ours");
        }
    }
}
