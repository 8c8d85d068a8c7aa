//! The order of a trace's spans as rows of a tree: parents before children, siblings by time.
//!
//! Every span has a row. A span whose parent is missing is a root and marked as an orphan, a cycle of parents is cut at
//! its first span, and a child that starts before its parent is marked as skewed.

use std::collections::HashMap;

use serde::Serialize;

/// What identifies a span and its parent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SpanIdentity<'s> {
    /// Its id.
    pub id: &'s [u8],
    /// The id of its parent; empty or zeros for none.
    pub parent: &'s [u8],
    /// Its `SpanKind`.
    pub kind: i32,
    /// The name of its service.
    pub service: &'s str,
}

impl SpanIdentity<'_> {
    /// Whether it names a parent.
    fn has_parent(&self) -> bool {
        self.parent.iter().any(|byte| *byte != 0)
    }

    /// The order of spans with the same id: the caller's comes first, the callee's last.
    pub fn rank(&self) -> i32 {
        match self.kind {
            // CLIENT, PRODUCER
            3 | 4 => 0,
            // SERVER, CONSUMER
            2 | 5 => 2,
            _ => 1,
        }
    }
}

/// The part of a span that the tree needs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Node<'s> {
    /// Its id and its parent.
    pub identity: SpanIdentity<'s>,
    /// Nanoseconds since 1970, or 0 if unknown.
    pub start: i64,
    /// Nanoseconds since 1970, never before the start.
    pub end: i64,
}

/// The parent of each span, and whether another span with the same id precedes it.
///
/// Spans that share an id belong to different services: the server reused its client's id, as Zipkin's libraries do. The
/// client's span is then the parent of the server's. A child of that id belongs to the span of its own service, or else
/// to the server's.
pub fn parents(spans: &[SpanIdentity<'_>]) -> Vec<(Option<usize>, bool)> {
    let halves = SpansById::of(spans);
    let parent = |(index, span): (usize, &SpanIdentity<'_>)| {
        let first = halves.of_id(span.id).first().copied();
        let first = first.filter(|first| *first != index);
        let is_child_of = |first: &usize| spans[*first].rank() < span.rank();
        let parent = match first.filter(is_child_of) {
            Some(first) => Some(first),
            None => halves.parent(span),
        };
        (parent, first.is_some())
    };
    spans.iter().enumerate().map(parent).collect()
}

/// Spans by their ids.
struct SpansById<'k, 's> {
    spans: &'k [SpanIdentity<'s>],
    by_id: Vec<usize>,
    /// The spans whose id is shared.
    by_service: HashMap<(&'s [u8], &'s str), usize>,
}

impl<'k, 's> SpansById<'k, 's> {
    fn of(spans: &'k [SpanIdentity<'s>]) -> SpansById<'k, 's> {
        let mut by_id: Vec<usize> = (0..spans.len()).collect();
        by_id.sort_by_key(|index| (spans[*index].id, spans[*index].rank(), *index));
        let same = by_id.chunk_by(|a, b| spans[*a].id == spans[*b].id);
        let same = same.filter(|halves| halves.len() > 1).flatten();
        let by_service = same.map(|index| ((spans[*index].id, spans[*index].service), *index));
        SpansById {
            spans,
            by_service: by_service.collect(),
            by_id,
        }
    }

    fn of_id(&self, id: &[u8]) -> &[usize] {
        let begin = self
            .by_id
            .partition_point(|index| self.spans[*index].id < id);
        let rest = &self.by_id[begin..];
        &rest[..rest.partition_point(|index| self.spans[*index].id == id)]
    }

    /// The span that has the id of this one's parent.
    fn parent(&self, span: &SpanIdentity<'s>) -> Option<usize> {
        if !span.has_parent() {
            return None;
        }
        match self.of_id(span.parent) {
            [] => None,
            [one] => Some(*one),
            [.., last] => {
                let own = self.by_service.get(&(span.parent, span.service));
                Some(*own.unwrap_or(last))
            }
        }
    }
}

/// A row of the tree.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct TreePosition {
    /// The index of its span.
    #[serde(skip)]
    pub index: usize,
    /// 0 for a root.
    pub depth: usize,
    /// The number of rows below it.
    pub descendants: usize,
    /// Whether its parent is missing.
    pub orphan: bool,
    /// Whether its parent is one of its descendants.
    pub cycle: bool,
    /// How much earlier than its parent it starts, in nanoseconds.
    pub skew_ns: i64,
}

/// The rows of a trace, and its spans' children and parents.
#[derive(Debug, Default)]
pub struct Tree {
    /// One row for each span, in order.
    pub positions: Vec<TreePosition>,
    /// The children of each span, by its index, as indices.
    pub children: Vec<Vec<usize>>,
    /// What [`parents`] returned.
    pub parents: Vec<(Option<usize>, bool)>,
}

/// Builds the tree in near-linear time and without recursion, whatever its shape.
pub fn build(spans: &[Node<'_>]) -> Tree {
    let identities: Vec<SpanIdentity<'_>> = spans.iter().map(|span| span.identity).collect();
    let parents = parents(&identities);
    let mut children = vec![Vec::new(); spans.len()];
    let mut roots = Vec::new();
    for (index, (parent, _)) in parents.iter().enumerate() {
        match parent {
            Some(parent) => children[*parent].push(index),
            None => roots.push(index),
        }
    }
    let by_time = |index: &usize| (spans[*index].start, *index);
    for siblings in &mut children {
        siblings.sort_by_key(by_time);
    }
    // Roots come before orphans.
    roots.sort_by_key(|index| (identities[*index].has_parent(), by_time(index)));
    let mut walk = Walk {
        spans,
        children,
        visited: vec![false; spans.len()],
        positions: Vec::with_capacity(spans.len()),
    };
    for root in roots {
        let orphan = identities[root].has_parent();
        walk.visit(
            root,
            TreePosition {
                orphan,
                ..TreePosition::default()
            },
        );
    }
    // Spans that no root leads to are in a cycle, or below one.
    let mut left: Vec<usize> = (0..spans.len())
        .filter(|index| !walk.visited[*index])
        .collect();
    left.sort_by_key(by_time);
    for index in left {
        if !walk.visited[index] {
            walk.detach(parents[index].0, index);
            walk.visit(
                index,
                TreePosition {
                    cycle: true,
                    ..TreePosition::default()
                },
            );
        }
    }
    Tree {
        positions: walk.positions,
        children: walk.children,
        parents,
    }
}

struct Walk<'s> {
    spans: &'s [Node<'s>],
    children: Vec<Vec<usize>>,
    visited: Vec<bool>,
    positions: Vec<TreePosition>,
}

impl Walk<'_> {
    fn detach(&mut self, parent: Option<usize>, child: usize) {
        if let Some(parent) = parent {
            self.children[parent].retain(|index| *index != child);
        }
    }

    /// Adds the rows of a span and its descendants.
    fn visit(&mut self, root: usize, position: TreePosition) {
        let mut open: Vec<usize> = Vec::new();
        let mut next = vec![(
            root,
            TreePosition {
                index: root,
                ..position
            },
        )];
        while let Some((index, position)) = next.pop() {
            while open
                .last()
                .is_some_and(|row| self.positions[*row].depth >= position.depth)
            {
                self.close(&mut open);
            }
            self.visited[index] = true;
            let depth = position.depth + 1;
            open.push(self.positions.len());
            self.positions.push(position);
            for child in self.children[index].iter().rev() {
                // An unknown start has no skew.
                let early = match self.spans[*child].start {
                    0 => 0,
                    start => self.spans[index].start.saturating_sub(start),
                };
                let position = TreePosition {
                    index: *child,
                    depth,
                    skew_ns: early.max(0),
                    ..TreePosition::default()
                };
                next.push((*child, position));
            }
        }
        while !open.is_empty() {
            self.close(&mut open);
        }
    }

    fn close(&mut self, open: &mut Vec<usize>) {
        if let Some(row) = open.pop() {
            self.positions[row].descendants = self.positions.len() - row - 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A span for each word `id<parent@start`; a name before the id, as in `shop:id`, is its service, and in
    /// capitals it is a client.
    fn spans(text: &str) -> Vec<Node<'_>> {
        text.split_whitespace().map(node).collect()
    }

    fn node(word: &str) -> Node<'_> {
        let (ids, start) = word.split_once('@').unwrap();
        let (id, parent) = ids.split_once('<').unwrap();
        let (service, id) = id.split_once(':').unwrap_or(("", id));
        let start = start.parse().unwrap();
        let is_client = service.bytes().any(|byte| byte.is_ascii_uppercase());
        Node {
            identity: SpanIdentity {
                id: id.as_bytes(),
                parent: parent.as_bytes(),
                kind: if is_client { 3 } else { 2 },
                service,
            },
            start,
            end: start + 10,
        }
    }

    fn rows(text: &str) -> Vec<String> {
        let spans = spans(text);
        let row = |position: &TreePosition| {
            let id = String::from_utf8_lossy(spans[position.index].identity.id);
            let mut row = format!("{}{id}", ".".repeat(position.depth));
            let marks = [(position.orphan, " orphan"), (position.cycle, " cycle")];
            row.extend(marks.iter().filter(|(on, _)| *on).map(|(_, mark)| *mark));
            if position.skew_ns > 0 {
                row += &format!(" skew {}", position.skew_ns);
            }
            row + &format!(" +{}", position.descendants)
        };
        build(&spans).positions.iter().map(row).collect()
    }

    #[test]
    fn orders_every_span() {
        let table: [(&str, &[&str], &str); 12] = [
            (
                "c<b@3 b<a@2 a<@1",
                &["a +2", ".b +1", "..c +0"],
                "children before parents",
            ),
            (
                "a<@1 c<a@3 b<a@2 d<b@9",
                &["a +3", ".b +1", "..d +0", ".c +0"],
                "siblings by time",
            ),
            ("b<x@1 a<@5", &["a +0", "b orphan +0"], "a missing parent"),
            ("a<a@1", &["a cycle +0"], "its own parent"),
            (
                "a<b@2 b<a@1 c<b@3",
                &["b cycle +2", ".a +0", ".c +0"],
                "a cycle, and what is below it",
            ),
            (
                "a<@10 b<a@4",
                &["a +1", ".b skew 6 +0"],
                "a clock that is behind",
            ),
            (
                "a<@10 b<a@0",
                &["a +1", ".b +0"],
                "a start that is not known",
            ),
            (
                "front:a<@1 FRONT:b<a@2 stock:b<a@3 stock:c<b@4 FRONT:d<b@5 other:e<b@6",
                &["a +5", ".b +4", "..b +2", "...c +0", "...e +0", "..d +0"],
                "a server that has its client's id",
            ),
            (
                "stock:b<a@3 stock:c<b@4 FRONT:b<a@2 front:a<@1",
                &["a +3", ".b +2", "..b +1", "...c +0"],
                "the same in another order",
            ),
            (
                "x:a<@1 y:a<@2",
                &["a +0", "a +0"],
                "two servers with one id",
            ),
            (
                "X:a<b@1 y:a<b@2 y:b<a@3",
                &["a cycle +2", ".a +1", "..b +0"],
                "a cycle through both",
            ),
            ("", &[], "nothing"),
        ];
        for (words, expected, reason) in table {
            assert_eq!(rows(words), expected, "{reason}");
        }
    }

    #[test]
    fn a_chain_of_thousands_needs_no_stack() {
        let ids: Vec<_> = (0..=50_000_u32).map(u32::to_be_bytes).collect();
        let span = |index: usize| Node {
            identity: SpanIdentity {
                id: &ids[index + 1],
                parent: &ids[index],
                ..SpanIdentity::default()
            },
            start: 1 + i64::try_from(index).unwrap(),
            end: 100_000,
        };
        let spans: Vec<_> = (0..50_000).map(span).collect();
        let tree = build(&spans);
        assert_eq!(tree.positions.last().unwrap().depth, 49_999);
        assert_eq!(tree.positions[0].descendants, 49_999);
    }
}
