//! The nodes of a graph: services, queues, and what is called outside of the traces.

use std::collections::{HashMap, HashSet};

use crate::interaction::PeerKind;
use crate::otlp::text::truncate;

/// What tells a node from others.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeKey {
    pub(super) kind: PeerKind,
    pub(super) system: String,
    pub(super) name: String,
}

impl NodeKey {
    /// A service.
    pub fn service(name: &str) -> NodeKey {
        NodeKey {
            kind: PeerKind::Service,
            system: String::new(),
            name: name.to_owned(),
        }
    }

    /// A peer. One without a name has its system's.
    pub fn peer(kind: PeerKind, system: &str, name: &str) -> NodeKey {
        let system = truncate(system);
        NodeKey {
            kind,
            system: system.to_owned(),
            name: match name {
                "" => system.to_owned(),
                name => truncate(name).to_owned(),
            },
        }
    }
}

/// The nodes by their index.
#[derive(Debug, Default)]
pub(super) struct Nodes {
    indices: HashMap<NodeKey, usize>,
    /// The attributes that name each.
    attributes: Vec<Vec<String>>,
}

impl Nodes {
    /// The index of a node, which is added if it is new.
    pub(super) fn index(&mut self, key: NodeKey, attributes: &[String]) -> usize {
        let next = self.attributes.len();
        let index = *self.indices.entry(key).or_insert(next);
        if index == next {
            self.attributes.push(Vec::new());
        }
        // A span may name only a part.
        if self.attributes[index].len() < attributes.len() {
            self.attributes[index] = attributes.to_vec();
        }
        index
    }

    /// The attributes that name a node, as `key=value`.
    pub(super) fn attributes(&self, index: usize) -> &[String] {
        &self.attributes[index]
    }

    /// Each node with its id, by index. A service's id is its name; the others' begin with kind and system, and no two
    /// are the same.
    pub(super) fn into_parts(self) -> Vec<(NodeKey, String, Vec<String>)> {
        let mut keys: Vec<(NodeKey, usize)> = self.indices.into_iter().collect();
        keys.sort_unstable();
        let mut used = HashSet::new();
        let mut parts = Vec::with_capacity(keys.len());
        for (key, index) in keys {
            // Services come first.
            let mut id = match key.kind {
                PeerKind::Service => key.name.clone(),
                kind => format!("{}:{}:{}", kind.name(), key.system, key.name),
            };
            while !used.insert(id.clone()) {
                id.push('~');
            }
            parts.push((index, (key, id)));
        }
        parts.sort_unstable_by_key(|(index, _)| *index);
        let keys = parts.into_iter().map(|(_, part)| part);
        let both = keys.zip(self.attributes);
        both.map(|((key, id), attributes)| (key, id, attributes))
            .collect()
    }
}
