//! The critical path: at each moment of a trace, the span that the response was waiting for.
//!
//! It is computed backwards from the end of the root. A span's time belongs to the child that ended last, back to that
//! child's start, then to the child that ended last before it, and to the span itself in between.

use crate::tree::{Node, Tree};

/// The sections of the critical path by span index, each with its start and end in nanoseconds since 1970.
pub fn compute(spans: &[Node<'_>], tree: &Tree) -> Vec<Vec<(i64, i64)>> {
    let mut pieces = vec![Vec::new(); spans.len()];
    let Some(root) = tree.positions.first() else {
        return pieces;
    };
    let mut left = vec![(root.index, spans[root.index].end)];
    while let Some((index, until)) = left.pop() {
        let start = spans[index].start;
        let mut until = until;
        let mut children = tree.children[index].clone();
        children.sort_by_key(|child| std::cmp::Reverse(spans[*child].end));
        for child in children {
            let (child_start, child_end) = (spans[child].start, spans[child].end.min(until));
            // Skewed children are followed only inside their parent.
            if child_end <= start || child_end <= child_start {
                continue;
            }
            if child_end < until {
                pieces[index].push((child_end, until));
            }
            left.push((child, child_end));
            until = child_start.max(start);
        }
        if start < until {
            pieces[index].push((start, until));
        }
    }
    for of_span in &mut pieces {
        of_span.reverse();
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{SpanIdentity, build};

    const IDS: [u8; 4] = [0, 1, 2, 3];

    fn span(id: usize, parent: usize, start: i64, end: i64) -> Node<'static> {
        Node {
            identity: SpanIdentity {
                id: &IDS[id..=id],
                parent: &IDS[parent..=parent],
                ..SpanIdentity::default()
            },
            start,
            end,
        }
    }

    #[test]
    fn follows_who_ends_last() {
        type Pieces = Vec<Vec<(i64, i64)>>;
        let table: [(Vec<Node<'_>>, Pieces, &str); 5] = [
            (
                vec![span(1, 0, 0, 100), span(2, 1, 10, 40), span(3, 1, 50, 90)],
                vec![
                    vec![(0, 10), (40, 50), (90, 100)],
                    vec![(10, 40)],
                    vec![(50, 90)],
                ],
                "one after the other",
            ),
            (
                vec![span(1, 0, 0, 100), span(2, 1, 10, 60), span(3, 1, 10, 90)],
                vec![vec![(0, 10), (90, 100)], vec![], vec![(10, 90)]],
                "at the same time: the longer one",
            ),
            (
                vec![span(1, 0, 0, 100), span(2, 1, 50, 150)],
                vec![vec![(0, 50)], vec![(50, 100)]],
                "a child that outlives its parent",
            ),
            (
                vec![span(1, 0, 10, 100), span(2, 1, 0, 50)],
                vec![vec![(50, 100)], vec![(0, 50)]],
                "a skewed child",
            ),
            (vec![], vec![], "nothing"),
        ];
        for (spans, expected, reason) in table {
            assert_eq!(compute(&spans, &build(&spans)), expected, "{reason}");
        }
    }
}
