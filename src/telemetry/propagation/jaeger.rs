//! Jaeger's `uber-trace-id`: `{trace-id}:{span-id}:{parent-span-id}:{flags}`, and baggage in `uberctx-` headers.
//!
//! Ids may be shorter than they are, and the whole value percent-encoded. The parent's parent is ignored.
//! Source: Jaeger's "Client Libraries", "Propagation Format".

use http::HeaderMap;

use super::header_baggage::{self, Escapes};
use super::ids::{self, ACCEPT, DEBUG, DENY, first};
use super::{SamplingState, TraceContext, baggage};
use crate::settings::text::percent_decode_text;

pub(super) const UBER_TRACE_ID: &str = "uber-trace-id";
const BAGGAGE: &str = "jaeger-baggage";
pub(super) const BAGGAGE_PREFIX: &str = "uberctx-";

const SAMPLED: u8 = 1;
const DEBUG_FLAG: u8 = 2;

#[inline(never)]
pub(super) fn extract(headers: &HeaderMap) -> Option<TraceContext> {
    let text = first(headers, UBER_TRACE_ID)?;
    match text.contains('%') {
        true => parse(&percent_decode_text(text)?),
        false => parse(text),
    }
}

fn parse(text: &str) -> Option<TraceContext> {
    let mut fields = text.split(':');
    let trace_id = ids::trace_id(fields.next()?)?;
    let span_id = ids::span_id(fields.next()?)?;
    fields.next()?;
    let flags = flags(fields.next()?)?;
    if fields.next().is_some() {
        return None;
    }
    let said = match flags {
        _ if flags & DEBUG_FLAG != 0 => DEBUG,
        _ if flags & SAMPLED != 0 => ACCEPT,
        _ => DENY,
    };
    Some(ids::context(trace_id, span_id, said))
}

/// "One byte bitmap, as one or two hex digits."
fn flags(text: &str) -> Option<u8> {
    let is_byte = (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit());
    u8::from_str_radix(text, 16).ok().filter(|_| is_byte)
}

#[inline(never)]
pub(super) fn inject(context: &TraceContext, headers: &mut HeaderMap) {
    let span = &context.span;
    if !span.is_valid() {
        return;
    }
    let flags = match (context.sampling, span.is_sampled()) {
        (SamplingState::Debug, _) => "3",
        (_, true) => "1",
        (_, false) => "0",
    };
    let (trace_id, span_id) = (span.trace_id().to_string(), span.span_id().to_string());
    let text = [&trace_id, ":", &span_id, ":0:", flags].concat();
    ids::set(headers, UBER_TRACE_ID, text);
}

/// The members of `uberctx-` headers, and of `jaeger-baggage`, which is for requests by hand.
#[inline(never)]
pub(super) fn extract_baggage(headers: &HeaderMap) -> String {
    let mut members = header_baggage::extract(headers, BAGGAGE_PREFIX, Escapes::Kept);
    if let Some(by_hand) = first(headers, BAGGAGE) {
        let pairs = by_hand.split(',').filter_map(|pair| pair.split_once('='));
        for (key, value) in pairs {
            header_baggage::push(
                &mut members,
                key.trim(),
                value.trim().as_bytes(),
                Escapes::Kept,
            );
        }
    }
    members
}

#[inline(never)]
pub(super) fn inject_baggage(baggage: &str, headers: &mut HeaderMap) {
    baggage::for_each_pair(baggage, &mut |key, value| {
        // In a query's encoding a plus sign is a space.
        let value = value.replace('+', "%2B");
        header_baggage::insert(headers, [BAGGAGE_PREFIX, key], value.as_bytes());
    });
}

#[cfg(test)]
mod tests;
