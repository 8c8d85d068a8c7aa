//! The graph of services, and of the stores, queues and untraced servers that they use: rates, error rates and latency
//! percentiles of each call and each node.
//!
//! - [`data`]: what it is made of
//! - `node`: what tells nodes apart
//! - [`stats`]: rates and percentiles

pub mod data;
mod node;
pub mod stats;

use serde_json::Value;

pub use data::GraphData;
pub use node::Indices;
pub use stats::{CallStats, SpanOutcome};

use crate::interaction::PeerKind;
use crate::response::object;

/// The most edges and the most nodes of a graph. Those with the most calls are kept.
const MAX_ITEMS: usize = 200;

/// The graph of services.
#[derive(Debug, PartialEq)]
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
#[derive(Debug, PartialEq)]
pub struct Node {
    /// What edges call it: a service's name, or for others kind, system and name.
    pub id: String,
    /// What it is.
    pub kind: &'static str,
    /// Its system, such as `kafka`. Empty for a service, or if it is unknown.
    pub system: String,
    /// Its name.
    pub name: String,
    /// The name of a service, again.
    pub service: Option<String>,
    /// The attributes that name it, as a filter of traces takes them. None for a service.
    pub attributes: Vec<String>,
    /// The statistics of a service's entry spans, of the calls of a peer, or of the messages into a queue.
    pub stats: CallStats,
}

/// All calls from one service to another, or to a peer, or all messages into or out of a queue.
#[derive(Debug, PartialEq)]
pub struct Edge {
    /// The id of the calling service, or of the queue.
    pub caller: String,
    /// The id of the called service or peer, or of the queue.
    pub callee: String,
    /// The attributes that name the peer or queue and that all spans of the edge have.
    pub attributes: Vec<String>,
    /// The statistics of the callee's spans, or of the caller's where the callee sends none.
    pub stats: CallStats,
}

impl Graph {
    /// The graph as JSON.
    pub fn to_json(&self) -> Value {
        object(vec![
            ("traces", self.traces.into()),
            ("seconds", self.seconds.into()),
            ("nodes", self.nodes.iter().map(Node::to_json).collect()),
            ("edges", self.edges.iter().map(Edge::to_json).collect()),
        ])
    }
}

impl Node {
    fn to_json(&self) -> Value {
        let mut fields = vec![
            ("id", self.id.as_str().into()),
            ("kind", self.kind.into()),
            ("system", self.system.as_str().into()),
            ("name", self.name.as_str().into()),
            ("service", self.service.as_deref().into()),
            ("attributes", self.attributes.as_slice().into()),
        ];
        fields.extend(self.stats.fields());
        object(fields)
    }
}

impl Edge {
    fn to_json(&self) -> Value {
        let mut fields = vec![
            ("caller", self.caller.as_str().into()),
            ("callee", self.callee.as_str().into()),
            ("attributes", self.attributes.as_slice().into()),
        ];
        fields.extend(self.stats.fields());
        object(fields)
    }
}

/// Computes the graph.
pub fn build_graph(mut data: GraphData) -> Graph {
    data.resolve();
    #[expect(clippy::cast_precision_loss, reason = "rates are approximate")]
    let seconds = (data.window_ns as f64 / 1e9).max(1.0);
    let ids = data.nodes.ids();
    data.entries.resize_with(ids.len(), Vec::new);
    // What goes out of each node, and what comes in.
    let mut of_node: Vec<[Vec<&[SpanOutcome]>; 2]> = vec![Default::default(); ids.len()];
    let mut ranked = Vec::with_capacity(data.edges.len());
    for (index, edge) in data.edges.iter().enumerate() {
        let seen = edge.outcomes();
        for (end, node) in edge.ends.into_iter().enumerate() {
            of_node[node][end].push(seen);
        }
        let id = edge.ends.map(|end| ids[end].as_str()).join("\n");
        ranked.push((stats::count(&[seen]), id, index));
    }
    let edges = busiest(ranked).into_iter().map(|index| {
        let edge = &data.edges[index];
        let [caller, callee] = edge.ends.map(|end| ids[end].clone());
        Edge {
            caller,
            callee,
            attributes: edge.attributes.clone(),
            stats: stats::stats(&[edge.outcomes()], seconds),
        }
    });
    let edges = edges.collect();
    let mut ranked = Vec::with_capacity(ids.len());
    for (index, [out, into]) in of_node.iter_mut().enumerate() {
        let entries = &data.entries[index][..];
        if out.is_empty() && into.is_empty() && entries.is_empty() {
            // Its calls turned out to be a service's.
            continue;
        }
        if data.nodes.all[index].kind == PeerKind::Service {
            *out = vec![entries];
        } else if !into.is_empty() {
            *out = std::mem::take(into);
        }
        ranked.push((stats::count(out), ids[index].clone(), index));
    }
    let nodes = busiest(ranked).into_iter().map(|index| {
        let node = &data.nodes.all[index];
        Node {
            id: ids[index].clone(),
            kind: node.kind.name(),
            system: node.system.clone(),
            name: node.name.clone(),
            service: (node.kind == PeerKind::Service).then(|| node.name.clone()),
            attributes: node.attributes.clone(),
            stats: stats::stats(&of_node[index][0], seconds),
        }
    });
    Graph {
        traces: data.traces,
        seconds,
        nodes: nodes.collect(),
        edges,
    }
}

/// The indices of the items with the most calls, among counts, ids and indices.
#[inline(never)]
fn busiest(mut all: Vec<(usize, String, usize)>) -> Vec<usize> {
    all.sort_unstable_by(|(one, id, _), (other, other_id, _)| {
        other.cmp(one).then_with(|| id.cmp(other_id))
    });
    all.truncate(MAX_ITEMS);
    all.into_iter().map(|(.., index)| index).collect()
}

#[cfg(test)]
mod tests;
