//! Messages: which must be processed, in which traces, and which were.
//!
//! A report says what was published, and which trace each consumer starts at each attempt. What a consumer does there is
//! in no report: its CONSUMER span must be there once, whole, and after one that failed, the one of the next attempt.

use std::collections::{HashMap, HashSet};

use opentelemetry::trace::{SpanId, TraceId};

use super::compare::finding::{CaseFindings, Twice, Unprocessed};
use super::expected::{ExpectedDelivery, Place, Report};
use super::span::{Kind, Span, StatusCode};

/// How far the messages of a request are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// How many deliveries have ended: processed, or failed for good.
    pub ended: u64,
    /// Those that have not.
    pub unprocessed: Vec<Unprocessed>,
}

impl Progress {
    /// The traces that must be asked for.
    pub fn traces(&self) -> impl Iterator<Item = TraceId> {
        self.unprocessed.iter().map(|delivery| delivery.trace_id)
    }

    /// Whether nothing is left to be processed.
    pub fn is_complete(&self) -> bool {
        self.unprocessed.is_empty()
    }
}

/// The traces in which consumers process messages, none of them that of a report's spans.
pub fn traces(deliveries: &[ExpectedDelivery]) -> HashSet<TraceId> {
    let mut all = HashSet::new();
    for delivery in deliveries {
        if let Place::Traces { traces, .. } = &delivery.place {
            all.extend(traces);
        }
        all.extend(traces(&delivery.dead_letters));
    }
    all
}

/// Follows the messages of a request through the spans that are there.
pub fn progress(report: &Report, found: &[Span]) -> Progress {
    let mut progress = Progress::default();
    if report.deliveries.is_empty() {
        return progress;
    }
    let consumers = found.iter().filter(|span| span.kind == Kind::Consumer);
    let mut by_trace: HashMap<TraceId, Vec<&Span>> = HashMap::new();
    for span in consumers {
        by_trace.entry(span.trace_id).or_default().push(span);
    }
    for delivery in &report.deliveries {
        follow(delivery, &by_trace, &mut progress);
    }
    progress
}

fn follow(
    delivery: &ExpectedDelivery,
    consumers: &HashMap<TraceId, Vec<&Span>>,
    progress: &mut Progress,
) {
    let in_trace = |trace: &TraceId| consumers.get(trace).map_or(&[][..], Vec::as_slice);
    let absent = |trace_id: TraceId, attempt: usize| Unprocessed {
        queue: delivery.queue.clone(),
        consumer: delivery.consumer.clone(),
        trace_id,
        attempt,
    };
    let is_error = |span: &Span| span.status.code == StatusCode::Error;
    match &delivery.place {
        Place::Traces { traces, messages } => {
            for (at, trace) in traces.iter().enumerate() {
                let accepts = |span: &&&Span| span.parent.is_none() && accounts(span, messages);
                match in_trace(trace).iter().find(accepts) {
                    None => return progress.unprocessed.push(absent(*trace, at + 1)),
                    Some(span) if is_error(span) => {}
                    Some(_) => {
                        progress.ended += 1;
                        return;
                    }
                }
            }
            progress.ended += 1;
            for dead_letter in &delivery.dead_letters {
                follow(dead_letter, consumers, progress);
            }
        }
        Place::Below {
            trace_id,
            message,
            consumers,
            attempts,
        } => {
            let below = in_trace(trace_id).iter();
            let below = below.filter(|span| span.parent == Some(*message));
            let (failed, processed): (Vec<&Span>, Vec<&Span>) =
                below.copied().partition(|span| is_error(span));
            let ended = processed.len() + failed.len() / (*attempts).max(1);
            progress.ended += ended.min(*consumers) as u64;
            if ended < *consumers {
                progress
                    .unprocessed
                    .push(absent(*trace_id, failed.len() + 1));
            }
        }
    }
}

/// Whether a CONSUMER span links to all messages; a backend that keeps no links has none.
fn accounts(span: &Span, messages: &[SpanId]) -> bool {
    let links: HashSet<_> = span.links.iter().map(|link| link.span_id).collect();
    links.is_empty() || messages.iter().all(|message| links.contains(message))
}

/// Adds to `findings` what the consumers' traces show: messages that were not processed, spans that are there more than
/// once, and spans whose parent is not there.
pub fn judge(report: &Report, found: &[Span], findings: &mut CaseFindings) {
    let Progress { ended, unprocessed } = progress(report, found);
    findings.deliveries = ended + unprocessed.len() as u64;
    findings.unprocessed = unprocessed;
    let traces = traces(&report.deliveries);
    let mut copies: HashMap<(TraceId, SpanId), usize> = HashMap::new();
    let of_consumers = found.iter().filter(|span| traces.contains(&span.trace_id));
    for span in of_consumers.clone() {
        *copies.entry((span.trace_id, span.span_id)).or_default() += 1;
    }
    let ids: HashSet<_> = copies.keys().copied().collect();
    for span in of_consumers {
        let times = copies.remove(&(span.trace_id, span.span_id));
        let Some(times) = times else { continue };
        findings.consumer_spans += 1;
        if times > 1 {
            findings.twice.push(Twice {
                span: span.into(),
                times,
                sent: 1,
            });
        }
        let is_there = |parent| ids.contains(&(span.trace_id, parent));
        if span.parent.is_some_and(|parent| !is_there(parent)) {
            findings.orphans.push(span.into());
        }
    }
}

#[cfg(test)]
mod tests;
