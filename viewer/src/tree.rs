//! A trace as rows, in the order in which a tree is read: parents before children, siblings by time.
//!
//! Whatever arrives is shown: a span whose parent is missing is a root, and says so; a cycle of
//! parents is cut at its first span; a child that starts before its parent is marked as skewed.

use std::collections::HashMap;

use serde::Serialize;

/// A span, as far as the tree needs it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Node {
    /// Its id.
    pub id: Vec<u8>,
    /// The id of its parent.
    pub parent: Option<Vec<u8>>,
    /// Nanoseconds since 1970.
    pub start: i64,
    /// The same, not before the start.
    pub end: i64,
}

/// Where a span stands in its tree.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Place {
    /// Which of the spans it is.
    #[serde(skip)]
    pub index: usize,
    /// 0 for a root.
    pub depth: usize,
    /// How many rows are below it.
    pub descendants: usize,
    /// Its parent is named, but not there.
    pub orphan: bool,
    /// Its parent is one of its descendants.
    pub cycle: bool,
    /// By how much it starts before its parent.
    pub skew_ns: i64,
}

/// A trace's spans in reading order, and each one's children.
#[derive(Debug, Default)]
pub struct Tree {
    /// One for each span.
    pub places: Vec<Place>,
    /// The children of each span, by its index, as indices.
    pub children: Vec<Vec<usize>>,
}

/// Builds the tree. Takes time linear in the spans, whatever their shape, and no stack.
pub fn build(spans: &[Node]) -> Tree {
    let by_id: HashMap<&[u8], usize> = spans
        .iter()
        .map(|span| span.id.as_slice())
        .zip(0..)
        .collect();
    let parent_of = |span: &Node| by_id.get(span.parent.as_deref()?).copied();
    let mut children = vec![Vec::new(); spans.len()];
    let mut roots = Vec::new();
    for (index, span) in spans.iter().enumerate() {
        match parent_of(span) {
            Some(parent) => children[parent].push(index),
            None => roots.push(index),
        }
    }
    let by_time = |index: &usize| (spans[*index].start, *index);
    for siblings in &mut children {
        siblings.sort_by_key(by_time);
    }
    // A true root comes before an orphan.
    roots.sort_by_key(|index| (spans[*index].parent.is_some(), by_time(index)));
    let mut walk = Walk {
        spans,
        children,
        placed: vec![false; spans.len()],
        places: Vec::with_capacity(spans.len()),
    };
    for root in roots {
        let orphan = spans[root].parent.is_some();
        walk.place(
            root,
            Place {
                orphan,
                ..Place::default()
            },
        );
    }
    // What no root leads to is in a cycle, or below one.
    let mut left: Vec<usize> = (0..spans.len())
        .filter(|index| !walk.placed[*index])
        .collect();
    left.sort_by_key(by_time);
    for index in left {
        if !walk.placed[index] {
            walk.cut(parent_of(&spans[index]), index);
            walk.place(
                index,
                Place {
                    cycle: true,
                    ..Place::default()
                },
            );
        }
    }
    Tree {
        places: walk.places,
        children: walk.children,
    }
}

struct Walk<'s> {
    spans: &'s [Node],
    children: Vec<Vec<usize>>,
    placed: Vec<bool>,
    places: Vec<Place>,
}

impl Walk<'_> {
    fn cut(&mut self, parent: Option<usize>, child: usize) {
        if let Some(parent) = parent {
            self.children[parent].retain(|index| *index != child);
        }
    }

    /// Places a span and all below it.
    fn place(&mut self, root: usize, place: Place) {
        let mut open: Vec<usize> = Vec::new();
        let mut next = vec![(
            root,
            Place {
                index: root,
                ..place
            },
        )];
        while let Some((index, place)) = next.pop() {
            while open
                .last()
                .is_some_and(|row| self.places[*row].depth >= place.depth)
            {
                self.close(&mut open);
            }
            self.placed[index] = true;
            let depth = place.depth + 1;
            open.push(self.places.len());
            self.places.push(place);
            for child in self.children[index].iter().rev() {
                let early = self.spans[index]
                    .start
                    .saturating_sub(self.spans[*child].start);
                let place = Place {
                    index: *child,
                    depth,
                    skew_ns: early.max(0),
                    ..Place::default()
                };
                next.push((*child, place));
            }
        }
        while !open.is_empty() {
            self.close(&mut open);
        }
    }

    fn close(&mut self, open: &mut Vec<usize>) {
        if let Some(row) = open.pop() {
            self.places[row].descendants = self.places.len() - row - 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A span for each word `id<parent@start`.
    fn spans(words: &str) -> Vec<Node> {
        let span = |word: &str| {
            let (ids, start) = word.split_once('@').unwrap();
            let (id, parent) = ids.split_once('<').unwrap();
            let start = start.parse().unwrap();
            Node {
                id: id.into(),
                parent: (!parent.is_empty()).then(|| parent.into()),
                start,
                end: start + 10,
            }
        };
        words.split_whitespace().map(span).collect()
    }

    fn drawn(words: &str) -> Vec<String> {
        let spans = spans(words);
        let row = |place: &Place| {
            let id = String::from_utf8_lossy(&spans[place.index].id);
            let mut row = format!("{}{id}", ".".repeat(place.depth));
            let marks = [(place.orphan, " orphan"), (place.cycle, " cycle")];
            row.extend(marks.iter().filter(|(on, _)| *on).map(|(_, mark)| *mark));
            if place.skew_ns > 0 {
                row += &format!(" skew {}", place.skew_ns);
            }
            row + &format!(" +{}", place.descendants)
        };
        build(&spans).places.iter().map(row).collect()
    }

    #[test]
    fn draws_what_arrives() {
        let table: [(&str, &[&str], &str); 7] = [
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
            ("", &[], "nothing"),
        ];
        for (words, expected, reason) in table {
            assert_eq!(drawn(words), expected, "{reason}");
        }
    }

    #[test]
    fn a_chain_of_thousands_needs_no_stack() {
        let span = |index: u32| Node {
            id: index.to_be_bytes().to_vec(),
            parent: index
                .checked_sub(1)
                .map(|parent| parent.to_be_bytes().to_vec()),
            start: index.into(),
            end: 100_000,
        };
        let spans: Vec<_> = (0..50_000).map(span).collect();
        let tree = build(&spans);
        assert_eq!(tree.places.last().unwrap().depth, 49_999);
        assert_eq!(tree.places[0].descendants, 49_999);
    }
}
