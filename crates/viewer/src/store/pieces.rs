//! Pieces: the location and the encoding of a trace's spans.
//!
//! A segment holds the spans of one transaction. Those of one trace are consecutive and form a piece. A span is encoded
//! as the id of its resource, the id of its scope, its length, and its bytes.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::otlp::wire::{self, Malformed, put_varint};

/// The location of some spans of a trace. In the database it is a JSON array of three numbers, so that one statement can
/// read the spans.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(i64, usize, usize)", into = "(i64, usize, usize)")]
pub struct Piece {
    /// The id of the segment. It is negative if the segment belongs to this trace alone.
    pub segment: i64,
    /// The offset in the segment.
    pub offset: usize,
    /// The number of bytes.
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

/// Encodes a list as JSON.
pub fn encode(list: &impl Serialize) -> String {
    serde_json::to_string(list).unwrap_or_default()
}

/// Decodes what [`encode`] returned.
pub fn decode<T: DeserializeOwned + Default>(encoded: &str) -> T {
    serde_json::from_str(encoded).unwrap_or_default()
}

/// A span of a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredSpan<'b> {
    /// The id of its resource.
    pub resource: i64,
    /// The id of its scope.
    pub scope: i64,
    /// An encoded `Span`.
    pub span: &'b [u8],
}

impl<'b> StoredSpan<'b> {
    /// Appends it.
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

/// Decodes the spans of a piece.
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
