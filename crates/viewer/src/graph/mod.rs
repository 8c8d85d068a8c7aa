//! The graph of services, and of the stores, queues and untraced servers that they use: rates, error rates and latency
//! percentiles of each call and each node.
//!
//! - [`data`]: what it is made of
//! - [`node`]: what tells nodes apart
//! - [`stats`]: rates and percentiles

pub mod data;
pub mod node;
pub mod stats;

use serde::Serialize;

pub use data::GraphData;
pub use stats::{CallStats, SpanOutcome};

use crate::interaction::PeerKind;

/// The most edges and the most nodes of a graph. Those with the most calls are kept.
const MAX_ITEMS: usize = 200;

/// The graph of services.
#[derive(Debug, PartialEq, Serialize)]
pub struct Graph {
    /// The number of traces that it is made of.
    pub traces: usize,
    /// The time window that rates refer to, at least one second.
    pub seconds: f64,
    /// The services and what they use.
    pub nodes: Vec<Node>,
    /// The calls and messages.
    pub edges: Vec<Edge>,
}

/// A service, a queue, or what is called outside of the traces.
#[derive(Debug, PartialEq, Serialize)]
pub struct Node {
    /// What edges call it: a service's name, or for others kind, system and name.
    pub id: String,
    /// What it is.
    pub kind: PeerKind,
    /// Its system, such as `kafka`. Empty for a service, or if it is unknown.
    pub system: String,
    /// Its name.
    pub name: String,
    /// The name of a service, again.
    pub service: Option<String>,
    /// The attributes that name it, as a filter of traces takes them. None for a service.
    pub attributes: Vec<String>,
    /// The statistics of a service's entry spans, of the calls of a peer, or of the messages into a queue.
    #[serde(flatten)]
    pub stats: CallStats,
}

/// All calls from one service to another, or to a peer, or all messages into or out of a queue.
#[derive(Debug, PartialEq, Serialize)]
pub struct Edge {
    /// The id of the calling service, or of the queue.
    pub caller: String,
    /// The id of the called service or peer, or of the queue.
    pub callee: String,
    /// The attributes that name the peer or queue and that all spans of the edge have.
    pub attributes: Vec<String>,
    /// The statistics of the callee's spans, or of the caller's where the callee sends none.
    #[serde(flatten)]
    pub stats: CallStats,
}

/// Computes the graph.
pub fn build_graph(mut data: GraphData) -> Graph {
    data.resolve();
    #[expect(clippy::cast_precision_loss, reason = "rates are approximate")]
    let seconds = (data.window_ns as f64 / 1e9).max(1.0);
    let parts = data.nodes.into_parts();
    let mut of_node: Vec<[Vec<&[SpanOutcome]>; 2]> = vec![Default::default(); parts.len()];
    let mut edges = Vec::with_capacity(data.edges.len());
    for ((caller, callee), edge) in &data.edges {
        // What is processed was fetched before.
        let seen = match edge.seen.is_empty() {
            true => &edge.fetched[..],
            false => &edge.seen[..],
        };
        of_node[*callee][0].push(seen);
        of_node[*caller][1].push(seen);
        edges.push(Edge {
            caller: parts[*caller].1.clone(),
            callee: parts[*callee].1.clone(),
            attributes: edge.attributes.clone().unwrap_or_default(),
            stats: stats::stats(&seen.iter(), seconds),
        });
    }
    let mut nodes = Vec::with_capacity(parts.len());
    for (index, (key, id, attributes)) in parts.into_iter().enumerate() {
        let [incoming, outgoing] = &of_node[index];
        let is_service = key.kind == PeerKind::Service;
        let entries = data.entries.get(&index);
        if incoming.is_empty() && outgoing.is_empty() && entries.is_none() {
            // Its calls turned out to be a service's.
            continue;
        }
        let entries = entries.map(Vec::as_slice);
        let seen = match (is_service, incoming.is_empty()) {
            (true, _) => entries.as_slice(),
            (false, false) => &incoming[..],
            (false, true) => &outgoing[..],
        };
        nodes.push(Node {
            id,
            kind: key.kind,
            system: key.system,
            service: is_service.then(|| key.name.clone()),
            name: key.name,
            attributes,
            stats: stats::stats(&seen.iter().copied().flatten(), seconds),
        });
    }
    nodes.sort_by(|one, other| one.id.cmp(&other.id));
    edges.sort_by(|one, other| (&one.caller, &one.callee).cmp(&(&other.caller, &other.callee)));
    Graph {
        traces: data.traces,
        seconds,
        nodes: busiest(nodes, |node| node.stats.count),
        edges: busiest(edges, |edge| edge.stats.count),
    }
}

fn busiest<T>(mut all: Vec<T>, count: impl Fn(&T) -> usize) -> Vec<T> {
    all.sort_by_key(|one| std::cmp::Reverse(count(one)));
    all.truncate(MAX_ITEMS);
    all
}

#[cfg(test)]
mod tests;
