//! The nodes of a graph: services, queues, and what is called outside of the traces.

use std::collections::HashMap;

use crate::interaction::PeerKind;
use crate::otlp::text::truncate;

/// Indices by keys of bytes. One kind of map for all keeps the component small.
#[derive(Debug, Default)]
pub struct Indices(HashMap<Vec<u8>, usize>);

impl Indices {
    /// The index of a key, which is `next` if it is new.
    #[inline(never)]
    pub fn index(&mut self, key: Vec<u8>, next: usize) -> usize {
        *self.0.entry(key).or_insert(next)
    }

    /// The index of a key.
    pub fn get(&self, key: &[u8]) -> Option<usize> {
        self.0.get(key).copied()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

/// A node.
#[derive(Debug, Clone)]
pub(super) struct NodeData {
    pub(super) kind: PeerKind,
    pub(super) system: String,
    pub(super) name: String,
    /// The attributes that name it, as `key=value`.
    pub(super) attributes: Vec<String>,
}

/// The nodes by their index.
#[derive(Debug, Default)]
pub(super) struct Nodes {
    indices: Indices,
    pub(super) all: Vec<NodeData>,
}

impl Nodes {
    /// The index of a node, which is added if it is new. One without a name has its system's.
    #[inline(never)]
    pub(super) fn index(
        &mut self,
        kind: PeerKind,
        [system, name]: [&str; 2],
        attributes: &[String],
    ) -> usize {
        let [system, name] = [system, if name.is_empty() { system } else { name }].map(truncate);
        let next = self.all.len();
        // No text has the byte 255.
        let key = [&[kind as u8], system.as_bytes(), &[255], name.as_bytes()].concat();
        let index = self.indices.index(key, next);
        if index == next {
            self.all.push(NodeData {
                kind,
                system: system.to_owned(),
                name: name.to_owned(),
                attributes: Vec::new(),
            });
        }
        // A span may name only a part.
        let node = &mut self.all[index];
        if node.attributes.len() < attributes.len() {
            node.attributes = attributes.to_vec();
        }
        index
    }

    /// The id of each node. A service's is its name; the others' begin with kind and system, and no two are the same.
    pub(super) fn ids(&self) -> Vec<String> {
        let mut ids = vec![String::new(); self.all.len()];
        let mut used = Indices::default();
        for of_services in [true, false] {
            for (index, node) in self.all.iter().enumerate() {
                if (node.kind == PeerKind::Service) != of_services {
                    continue;
                }
                let mut id = match of_services {
                    true => node.name.clone(),
                    false => [node.kind.name(), &node.system, &node.name].join(":"),
                };
                while used.index(id.clone().into_bytes(), index) != index {
                    id.push('~');
                }
                ids[index] = id;
            }
        }
        ids
    }
}
