//! Where the spans of a trace lie, and how they lie there.
//!
//! A segment is the spans of one transaction, those of a trace one after the other: a piece. A span is
//! the number of its resource, that of its scope, its length, and its bytes as they came.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::otlp::wire::{self, Malformed, put_varint};

/// Some spans of a trace. In the database it is an array of its three numbers, in JSON, so that spans can
/// be read by one statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(i64, usize, usize)", into = "(i64, usize, usize)")]
pub struct Piece {
    /// The segment that they lie in; negative where it is the trace's own.
    pub segment: i64,
    /// Where they begin in it.
    pub offset: usize,
    /// How many bytes they take.
    pub length: usize,
}

impl From<(i64, usize, usize)> for Piece {
    fn from((segment, offset, length): (i64, usize, usize)) -> Piece {
        Piece {
            segment,
            offset,
            length,
        }
    }
}

impl From<Piece> for (i64, usize, usize) {
    fn from(piece: Piece) -> (i64, usize, usize) {
        (piece.segment, piece.offset, piece.length)
    }
}

/// A list as JSON.
pub fn encode(list: &impl Serialize) -> String {
    serde_json::to_string(list).unwrap_or_default()
}

/// What [`encode`] made.
pub fn decode<T: DeserializeOwned + Default>(encoded: &str) -> T {
    serde_json::from_str(encoded).unwrap_or_default()
}

/// A span in a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredSpan<'b> {
    /// The number of its resource.
    pub resource: i64,
    /// The number of its scope.
    pub scope: i64,
    /// An encoded `Span`.
    pub span: &'b [u8],
}

impl<'b> StoredSpan<'b> {
    /// Writes it behind others.
    pub fn put(&self, into: &mut Vec<u8>) {
        put_varint(into, self.resource.cast_unsigned());
        put_varint(into, self.scope.cast_unsigned());
        put_varint(into, self.span.len() as u64);
        into.extend_from_slice(self.span);
    }

    fn take(bytes: &mut &'b [u8]) -> Result<StoredSpan<'b>, Malformed> {
        let resource = wire::varint(bytes)?.cast_signed();
        let scope = wire::varint(bytes)?.cast_signed();
        let length = usize::try_from(wire::varint(bytes)?).map_err(|_| Malformed)?;
        let span = wire::split(bytes, length)?;
        Ok(StoredSpan {
            resource,
            scope,
            span,
        })
    }
}

/// The spans of a piece.
pub fn spans(mut bytes: &[u8]) -> impl Iterator<Item = StoredSpan<'_>> {
    std::iter::from_fn(move || StoredSpan::take(&mut bytes).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        let pieces = vec![Piece::from((1, 0, 7)), Piece::from((-300, 70_000, 1))];
        let encoded = encode(&pieces);
        assert_eq!(encoded, "[[1,0,7],[-300,70000,1]]");
        assert_eq!(decode::<Vec<Piece>>(&encoded), pieces);
        let stored = |resource, span| StoredSpan {
            resource,
            scope: 2,
            span,
        };
        let all = [
            stored(1, &b"one"[..]),
            stored(3_000, b""),
            stored(1, b"three"),
        ];
        let mut bytes = Vec::new();
        all.iter().for_each(|one| one.put(&mut bytes));
        assert_eq!(spans(&bytes).collect::<Vec<_>>(), all);
    }
}
