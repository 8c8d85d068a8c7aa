//! Segments: rows of encoded spans, and moving a trace into a segment of its own.

use super::bulk_insert;
use super::pieces::{self, Piece, StoredSpan};
use super::state::State;
use crate::wasi::{Database, DatabaseError, Row};

/// A segment with this many bytes is full. It is kept small because SQLite reads all of it to return a piece.
const SEGMENT_BYTES: usize = 8 * 1024;

/// The bytes of a piece in SQL: `j` is an element of an array of pieces, `s` its segment.
pub const PIECE: &str = "substr(s.data, 1 + (j.value ->> 1), j.value ->> 2)";
/// How a piece `j` is joined with its segment `s`.
pub const SEGMENT_OF_PIECE: &str = "tracing_tail_segments s ON s.id = (j.value ->> 0)";

/// A segment that is not written yet.
#[derive(Debug)]
struct Segment {
    id: i64,
    data: Vec<u8>,
}

/// Builds the segments of a transaction.
#[derive(Debug, Default)]
pub struct SegmentWriter {
    segments: Vec<Segment>,
    /// The bytes of all segments.
    pub bytes: usize,
}

impl SegmentWriter {
    /// Adds spans as a piece. `own` puts it into a segment of its own, for a trace that is retained.
    pub fn add<'b>(
        &mut self,
        state: &mut State,
        own: bool,
        spans: impl Iterator<Item = StoredSpan<'b>>,
    ) -> Piece {
        let segment = self.segment(state, own);
        let offset = segment.data.len();
        for span in spans {
            span.put(&mut segment.data);
        }
        let length = segment.data.len() - offset;
        let segment = segment.id;
        self.bytes += length;
        Piece {
            segment,
            offset,
            length,
        }
    }

    fn segment(&mut self, state: &mut State, own: bool) -> &mut Segment {
        let open = self
            .segments
            .iter()
            .position(|segment| !own && segment.id > 0 && segment.data.len() < SEGMENT_BYTES);
        let at = open.unwrap_or_else(|| {
            let id = match own {
                true => {
                    state.last_own += 1;
                    -state.last_own
                }
                false => {
                    state.last_segment += 1;
                    state.last_segment
                }
            };
            self.segments.push(Segment {
                id,
                data: Vec::new(),
            });
            self.segments.len() - 1
        });
        &mut self.segments[at]
    }

    /// Writes the segments.
    ///
    /// # Errors
    /// Any error of the database.
    pub async fn write(self, database: &impl Database) -> Result<(), DatabaseError> {
        let segments = self.segments.into_iter();
        let segments = segments.map(|segment| vec![segment.id.into(), segment.data.into()]);
        bulk_insert::run(database, segments.collect(), |places| {
            format!(
                "INSERT INTO tracing_tail_segments SELECT * FROM (VALUES {places})
                WHERE column1 IS NOT NULL"
            )
        })
        .await
    }
}

/// Reads pieces, each with its index in `wanted`.
///
/// # Errors
/// Any error of the database.
pub async fn read(
    database: &impl Database,
    wanted: impl Iterator<Item = Piece>,
) -> Result<Vec<Row>, DatabaseError> {
    let wanted = pieces::encode(&wanted.collect::<Vec<_>>());
    let select = format!("SELECT j.key, {PIECE} FROM json_each(?) j JOIN {SEGMENT_OF_PIECE}");
    database.execute(&select, vec![wanted.into()]).await
}

/// Moves traces into segments of their own. Each is given by its id, the reason to retain it, and its pieces.
///
/// # Errors
/// Any error of the database.
pub async fn move_to_own(
    database: &impl Database,
    state: &mut State,
    traces: Vec<(i64, i64, &[Piece])>,
) -> Result<(), DatabaseError> {
    if traces.is_empty() {
        return Ok(());
    }
    let wanted = traces
        .iter()
        .flat_map(|(_, _, pieces)| pieces.iter().copied());
    let mut found = vec![Vec::new(); wanted.clone().count()];
    for row in read(database, wanted).await? {
        if let Some(place) = usize::try_from(row[0].integer())
            .ok()
            .and_then(|at| found.get_mut(at))
        {
            *place = row[1].blob().to_vec();
        }
    }
    let mut found = found.into_iter();
    let mut segments = SegmentWriter::default();
    let mut moved = Vec::new();
    for (id, kind, of_trace) in traces {
        let data: Vec<_> = found.by_ref().take(of_trace.len()).collect();
        let spans = data.iter().flat_map(|data| pieces::spans(data));
        let piece = segments.add(state, true, spans);
        let encoded = pieces::encode(&[piece]);
        moved.push(vec![
            id.into(),
            kind.into(),
            piece.segment.into(),
            encoded.into(),
        ]);
    }
    segments.write(database).await?;
    bulk_insert::run(database, moved, |places| {
        format!(
            "UPDATE tracing_tail_traces SET kept = v.column2, segment = v.column3, pieces = v.column4
            FROM (VALUES {places}) AS v WHERE tracing_tail_traces.id = v.column1"
        )
    })
    .await
}
