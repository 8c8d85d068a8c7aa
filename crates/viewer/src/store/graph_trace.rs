//! What one trace adds to the graph of services: its calls, its messages, and its services' entry spans.

use super::links::target;
use super::matching::trace_spans;
use super::span_view::SpanView;
use super::spans::TraceSpans;
use crate::graph::data::Delivery;
use crate::graph::{GraphData, Indices, SpanOutcome};
use crate::interaction::{self, Interaction, Role, TraceSpan, is_call};
use crate::otlp::text::may_be_truncated;
use crate::otlp::timing::Timing;
use crate::receive::batch::LinkTarget;

/// Adds a trace. Durations of spans that end after `latest` are unknown.
pub(super) fn add(data: &mut GraphData, trace: &TraceSpans<SpanView<'_>>, latest: i64) {
    let spans = trace_spans(trace);
    let interactions = interaction::of_trace(&spans);
    let services: Vec<usize> = trace
        .resources
        .iter()
        .map(|one| data.service(&one.0))
        .collect();
    let mut adding = AddTrace {
        services: trace.spans.iter().map(|(at, ..)| services[*at]).collect(),
        data,
        spans: &spans,
        interactions: &interactions,
        latest,
    };
    adding.calls();
    adding.messages();
    adding.deliveries();
    adding.entries();
}

struct AddTrace<'t, 'b> {
    data: &'t mut GraphData,
    spans: &'t [TraceSpan<'t, 'b>],
    interactions: &'t [Option<Interaction<'b>>],
    /// The node of each span's service.
    services: Vec<usize>,
    latest: i64,
}

impl AddTrace<'_, '_> {
    #[inline(never)]
    fn outcome(&self, index: usize) -> SpanOutcome {
        let span = self.spans[index].span;
        let timing = Timing::of(span.start, span.end);
        let timing = timing.filter(|timing| timing.start > 0 && timing.end <= self.latest);
        SpanOutcome {
            duration_ns: timing.map(|timing| timing.end - timing.start),
            error: span.error,
            count: 1,
        }
    }

    fn role(&self, index: usize) -> Option<Role> {
        self.interactions[index].as_ref().map(|one| one.role)
    }

    /// The node of a span's peer, and the attributes that name it.
    fn peer(&mut self, interaction: &Interaction<'_>) -> (usize, Vec<String>) {
        let attributes = named_by(interaction);
        let names = [interaction.system, interaction.name];
        let peer = self.data.peer(interaction.kind, names, &attributes);
        (peer, attributes)
    }

    /// Calls between services, and calls of what sends no spans.
    fn calls(&mut self) {
        for (child, one) in self.spans.iter().enumerate() {
            let Some(parent) = one.parent else {
                continue;
            };
            // A message goes by its queue.
            let is_delivery = one.span.kind == 5 && self.role(parent).is_some_and(Role::publishes);
            if is_delivery || !is_call(&self.spans[parent], one) {
                continue;
            }
            let edge = [self.services[parent], self.services[child]];
            self.data.call(edge, self.outcome(child), &[]);
            if let Some(interaction) = &self.interactions[parent]
                && interaction.role == Role::Call
            {
                self.data.answers_at(edge[1], interaction.address);
            }
        }
        for (index, interaction) in self.interactions.iter().enumerate() {
            let Some(interaction) = interaction else {
                continue;
            };
            if interaction.role != Role::Call || interaction.answered {
                continue;
            }
            let (peer, attributes) = self.peer(interaction);
            let (edge, seen) = ([self.services[index], peer], self.outcome(index));
            let address = interaction.address;
            match interaction.is_store() || address.0.is_empty() {
                true => self.data.call(edge, seen, &attributes),
                false => self.data.unanswered_call(edge, address, seen),
            }
        }
    }

    /// Messages into queues: each PRODUCER span is one, or a batch. If a CLIENT span sends them, its duration and its
    /// error are theirs.
    fn messages(&mut self) {
        let mut sent_by = Indices::default();
        for (index, one) in self.spans.iter().enumerate() {
            if self.role(index) == Some(Role::Send) {
                for target in one.span.link_targets() {
                    sent_by.index(target.to_vec(), index);
                }
            }
        }
        for (index, interaction) in self.interactions.iter().enumerate() {
            let Some(interaction) = interaction.as_ref().filter(|one| one.role.publishes()) else {
                continue;
            };
            let (queue, attributes) = self.peer(interaction);
            let span = self.spans[index].span;
            let own = span_target(span);
            self.data.producer(own, queue);
            let mut seen = self.outcome(index);
            seen.count = interaction.messages.unwrap_or(1);
            if interaction.role == Role::Send {
                // Messages with spans of their own are counted by these.
                if span.link_targets().next().is_some() {
                    continue;
                }
            } else if let Some(sender) = sent_by.get(&own) {
                let sent = self.outcome(sender);
                seen.duration_ns = sent.duration_ns;
                seen.error |= sent.error;
            }
            let edge = [self.services[index], queue];
            self.data.call(edge, seen, &attributes);
        }
    }

    /// Messages out of queues.
    fn deliveries(&mut self) {
        for (index, one) in self.spans.iter().enumerate() {
            let own = self.interactions[index].as_ref();
            let producer = one
                .parent
                .and_then(|parent| self.interactions[parent].as_ref());
            let producer = producer.filter(|producer| producer.role.publishes());
            let own = match own {
                Some(own) if own.role.consumes() => Some(own),
                None if one.span.kind == 5 => None,
                _ => continue,
            };
            let links: Vec<_> = one.span.link_targets().collect();
            let mut outcome = self.outcome(index);
            let messages = own.and_then(|own| own.messages);
            outcome.count = messages.unwrap_or(1);
            let is_vague = own.is_none_or(|own| own.system.is_empty() || own.name.is_empty());
            let attributes = own.map(named_by).unwrap_or_default();
            let named = producer.filter(|_| is_vague).or(own);
            let queue = named.map(|named| self.peer(named).0);
            self.data.delivery(Delivery {
                service: self.services[index],
                queue,
                is_vague: is_vague && producer.is_none(),
                is_uncounted: messages.is_none(),
                is_fetch: own.is_some_and(|own| own.role == Role::Receive),
                links,
                attributes,
                outcome,
            });
        }
    }

    fn entries(&mut self) {
        for (index, one) in self.spans.iter().enumerate() {
            let is_root = one.span.parent.iter().all(|byte| *byte == 0);
            if matches!(one.span.kind, 2 | 5) || is_root {
                self.data.entry(self.services[index], self.outcome(index));
            }
        }
    }
}

/// The attributes that name a span's peer, as a filter takes them.
#[inline(never)]
fn named_by(interaction: &Interaction<'_>) -> Vec<String> {
    let named = interaction.attributes.iter().flatten();
    let short = named.filter(|(_, value)| !may_be_truncated(value));
    short.map(|(key, value)| format!("{key}={value}")).collect()
}

fn span_target(span: &SpanView<'_>) -> LinkTarget {
    let [trace, span] = [span.trace_id, span.id];
    target(
        trace.try_into().unwrap_or_default(),
        span.try_into().unwrap_or_default(),
    )
}
