//! What a graph is made of: calls and messages, as the traces are read. What one trace cannot tell is decided at the
//! end: which queue a consumer's messages came from, and which service is at an address.

use super::node::{Indices, Nodes};
use super::stats::SpanOutcome;
use crate::interaction::PeerKind;
use crate::otlp::text::truncate;
use crate::receive::batch::LinkTarget;

/// The most calls and messages, and the most entry spans, that a graph is made of.
const MAX_SPANS: usize = 50_000;
/// The most links of a consumer that are looked up, and the most such consumers.
const MAX_LINKS: usize = 128;
const MAX_VAGUE: usize = 4_000;

/// A host and a port.
pub type Address<'a> = (&'a str, i64);

/// Two nodes by their indices: the caller and the callee.
pub type EdgeKey = [usize; 2];

/// The input of a graph.
#[derive(Debug, Default)]
pub struct GraphData {
    pub(super) nodes: Nodes,
    edge_indices: Indices,
    pub(super) edges: Vec<EdgeData>,
    /// By node: SERVER and CONSUMER spans of services, and roots.
    pub(super) entries: Vec<Vec<SpanOutcome>>,
    /// Calls that no span answers, each with the index of its address.
    unanswered: Vec<(EdgeKey, usize, SpanOutcome)>,
    addresses: Indices,
    at_address: Vec<AtAddress>,
    /// The queues of spans that put messages into them.
    producers: Indices,
    /// Messages whose consumer does not say their queue or their number.
    vague: Vec<Delivery>,
    counts: [usize; 2],
    /// From the first start to the last end.
    pub(super) window_ns: i64,
    pub(super) traces: usize,
}

/// Who has answered at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AtAddress {
    Nobody,
    Service(usize),
    Several,
}

/// The calls or messages between two nodes.
#[derive(Debug)]
pub(super) struct EdgeData {
    pub(super) ends: EdgeKey,
    pub(super) seen: Vec<SpanOutcome>,
    /// Messages that were fetched. They count where no span processes them.
    pub(super) fetched: Vec<SpanOutcome>,
    /// The attributes that name the peer, as far as all spans of the edge have them.
    pub(super) attributes: Vec<String>,
}

impl EdgeData {
    /// What counts. Messages that are processed were fetched before.
    pub(super) fn outcomes(&self) -> &[SpanOutcome] {
        match self.seen.is_empty() {
            true => &self.fetched,
            false => &self.seen,
        }
    }
}

/// Messages that a consumer took.
#[derive(Debug)]
pub struct Delivery {
    /// The consuming service.
    pub service: usize,
    /// The queue, as far as the consumer says it.
    pub queue: Option<usize>,
    /// Whether it does not say all of it, so that the span it links to knows better.
    pub is_vague: bool,
    /// Whether it does not say how many messages these are, so that they are the messages it links to.
    pub is_uncounted: bool,
    /// Whether the messages were only fetched.
    pub is_fetch: bool,
    /// The spans that it links to.
    pub links: Vec<LinkTarget>,
    /// The attributes that name the queue.
    pub attributes: Vec<String>,
    /// How it ended.
    pub outcome: SpanOutcome,
}

impl GraphData {
    /// Empty data of this many traces. `window_ns` is the time from the first start to the last end.
    pub fn new(traces: usize, window_ns: i64) -> GraphData {
        GraphData {
            traces,
            window_ns,
            ..GraphData::default()
        }
    }

    /// The index of a service.
    pub fn service(&mut self, name: &str) -> usize {
        self.nodes.index(PeerKind::Service, ["", name], &[])
    }

    /// The index of a node that is no service, by its system and its name. `attributes` name it, as `key=value`.
    pub fn peer(&mut self, kind: PeerKind, names: [&str; 2], attributes: &[String]) -> usize {
        self.nodes.index(kind, names, attributes)
    }

    /// Adds a call of a service, measured by the callee's span, or a call of or message to a peer, measured by the
    /// caller's. `attributes` name the peer.
    pub fn call(&mut self, edge: EdgeKey, seen: SpanOutcome, attributes: &[String]) {
        if self.count() {
            self.edge(edge, attributes).seen.push(seen);
        }
    }

    /// Adds a call of a peer that no span answers. If only one service answers at that address in other traces or calls,
    /// it is a call of that service.
    pub fn unanswered_call(&mut self, edge: EdgeKey, address: Address<'_>, seen: SpanOutcome) {
        if self.count() {
            let address = self.address(address);
            self.unanswered.push((edge, address, seen));
        }
    }

    /// Notes that a service has answered at an address.
    pub fn answers_at(&mut self, service: usize, address: Address<'_>) {
        if address.0.is_empty() || self.addresses.len() >= MAX_SPANS {
            return;
        }
        let address = self.address(address);
        let known = &mut self.at_address[address];
        *known = match *known {
            AtAddress::Nobody => AtAddress::Service(service),
            AtAddress::Service(one) if one == service => *known,
            _ => AtAddress::Several,
        };
    }

    /// Notes the queue of a span that consumers may link to.
    pub fn producer(&mut self, span: LinkTarget, queue: usize) {
        if self.producers.len() < MAX_SPANS {
            self.producers.index(span.to_vec(), queue);
        }
    }

    /// Adds messages that a consumer took.
    pub fn delivery(&mut self, mut delivery: Delivery) {
        if !self.count() {
            return;
        }
        delivery.links.truncate(MAX_LINKS);
        let has_batch = delivery.is_uncounted && delivery.links.len() > 1;
        match (delivery.is_vague || has_batch) && self.vague.len() < MAX_VAGUE {
            true => self.vague.push(delivery),
            false => self.deliver(&delivery),
        }
    }

    /// Adds an entry span of a service.
    pub fn entry(&mut self, service: usize, seen: SpanOutcome) {
        if self.counts[1] < MAX_SPANS {
            self.counts[1] += 1;
            if self.entries.len() <= service {
                self.entries.resize_with(service + 1, Vec::new);
            }
            self.entries[service].push(seen);
        }
    }

    /// Whether it holds as many calls or entry spans as it may.
    pub fn is_full(&self) -> bool {
        self.counts.contains(&MAX_SPANS)
    }

    /// Decides what had to wait for all traces.
    pub(super) fn resolve(&mut self) {
        for mut delivery in std::mem::take(&mut self.vague) {
            let linked = delivery.links.iter();
            let linked = linked.filter_map(|span| self.producers.get(span));
            let linked: Vec<usize> = linked.collect();
            if delivery.is_vague {
                delivery.queue = linked.first().copied().or(delivery.queue);
            }
            if delivery.is_uncounted {
                delivery.outcome.count = linked.len().max(1) as u32;
            }
            self.deliver(&delivery);
        }
        for ([caller, peer], address, seen) in std::mem::take(&mut self.unanswered) {
            let (callee, attributes) = match self.at_address[address] {
                AtAddress::Service(service) => (service, Vec::new()),
                _ => (peer, self.nodes.all[peer].attributes.clone()),
            };
            self.edge([caller, callee], &attributes).seen.push(seen);
        }
    }

    fn deliver(&mut self, delivery: &Delivery) {
        let Some(queue) = delivery.queue else {
            return;
        };
        let edge = self.edge([queue, delivery.service], &delivery.attributes);
        match delivery.is_fetch {
            true => edge.fetched.push(delivery.outcome),
            false => edge.seen.push(delivery.outcome),
        }
    }

    #[inline(never)]
    fn edge(&mut self, ends: EdgeKey, attributes: &[String]) -> &mut EdgeData {
        let next = self.edges.len();
        let key = ends.map(usize::to_be_bytes).concat();
        let index = self.edge_indices.index(key, next);
        if index == next {
            self.edges.push(EdgeData {
                ends,
                seen: Vec::new(),
                fetched: Vec::new(),
                attributes: attributes.to_vec(),
            });
        }
        let edge = &mut self.edges[index];
        edge.attributes.retain(|one| attributes.contains(one));
        edge
    }

    #[inline(never)]
    fn address(&mut self, (host, port): Address<'_>) -> usize {
        let next = self.at_address.len();
        let key = [&port.to_be_bytes()[..], truncate(host).as_bytes()].concat();
        let index = self.addresses.index(key, next);
        if index == next {
            self.at_address.push(AtAddress::Nobody);
        }
        index
    }

    fn count(&mut self) -> bool {
        let has_room = self.counts[0] < MAX_SPANS;
        self.counts[0] += usize::from(has_room);
        has_room
    }
}
