//! Flags, `tracestate` and ids.

use opentelemetry::trace::TraceId;

use super::super::super::limits::Part;
use super::super::super::span::Span;
use super::super::check::Check;
use super::super::draft::Draft;
use super::super::judge;
use super::super::verdict::Verdict;

/// `SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK` of OTLP.
const HAS_IS_REMOTE: u32 = 0x100;
/// `SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK` of OTLP.
const IS_REMOTE: u32 = 0x200;
/// The flags "sampled" and "random" of Trace Context 2.
const TRACE_FLAGS: u32 = 0x03;

pub(super) fn checks(draft: &mut Draft) -> Vec<Check> {
    vec![flags(draft), trace_state(draft), short_trace_id(draft)]
}

fn flags(draft: &mut Draft) -> Check {
    let mut remote = draft.root();
    remote.flags = Some(TRACE_FLAGS | HAS_IS_REMOTE | IS_REMOTE);
    let mut local = draft.child(&remote);
    local.flags = Some(TRACE_FLAGS | HAS_IS_REMOTE);
    Check::new(vec![remote, local])
        .row("trace flags of spans", |sent, found| {
            masked_flags(sent, found, 0xff)
        })
        .about(Part::Flags)
        .row("whether the parent is remote (flags)", |sent, found| {
            masked_flags(sent, found, HAS_IS_REMOTE | IS_REMOTE)
        })
        .about(Part::Flags)
}

fn masked_flags(sent: &Span, found: &Span, mask: u32) -> Verdict {
    let [sent, found] = [sent, found].map(|span| span.flags.map(|flags| flags & mask));
    judge::flags(sent, found)
}

fn trace_state(draft: &mut Draft) -> Check {
    let mut span = draft.root();
    span.trace_state = "ot=th:8;rv:1f2e3d4c5b6a79,vendor@tenant=a b".to_owned();
    Check::new(vec![span])
        .row("`tracestate`", |sent, found| {
            judge::text(&sent.trace_state, &found.trace_state)
        })
        .about(Part::TraceState)
}

/// As programs that know only 64 bits make them.
fn short_trace_id(draft: &mut Draft) -> Check {
    let bytes = draft.trace().to_bytes();
    let low = u128::from_be_bytes(bytes) & u128::from(u64::MAX);
    let root = draft.root_of(TraceId::from(low));
    Check::new(vec![root]).row(
        "a trace id that begins with 64 bits of 0",
        |sent, found| match sent.trace_id == found.trace_id {
            true => Verdict::Kept,
            false => Verdict::altered(format!("{}", found.trace_id)),
        },
    )
}
