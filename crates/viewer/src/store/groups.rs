//! All traces that match a filter, grouped by their shape.

use foldhash::{HashMap, HashMapExt as _};
use serde::Serialize;

use super::failure;
use super::matching::{Found, MAX_READ_BYTES, Start, matching_from};
use crate::filter::{Filter, Shape};
use crate::otlp::hex;
use crate::wasi::{Database, DatabaseError};

/// The traces that are held at a time.
const CHUNK: usize = 500;
/// The most groups of an answer, those with the most traces.
const MAX_GROUPS: usize = 200;

/// The columns of a trace in a group, besides those of the filter.
const GROUP_COLUMNS: &str =
    "t.start_ns, t.duration_ns, t.spans, t.service, t.name, t.rooted, t.status, t.root_error";

/// The traces of one shape.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Group {
    /// What finds them: the parameter `shape` of a request.
    pub shape: String,
    /// Their shape.
    #[serde(flatten)]
    pub of: Shape,
    /// How many they are.
    pub count: usize,
    /// The median of their durations.
    pub p50_ns: i64,
    /// The 95th percentile of their durations.
    pub p95_ns: i64,
    /// The fewest and the most spans of one of them.
    pub spans: [i64; 2],
    /// The one that arrived last.
    pub latest: Latest,
}

/// The trace of a group that arrived last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Latest {
    /// 32 hexadecimal digits.
    pub trace_id: String,
    /// Nanoseconds since 1970, as text.
    pub start_ns: String,
}

/// The groups of a filter.
#[derive(Debug, Serialize)]
pub struct Groups {
    /// Those with the most traces first.
    pub groups: Vec<Group>,
    /// How many groups are left out.
    pub more_groups: usize,
    /// How many traces were grouped.
    pub traces: usize,
    /// Whether older ones were not looked at.
    pub more: bool,
}

/// Goes through all traces that match a filter, the newest first. Ends early when too many bytes of spans were read.
struct Walk<'f> {
    filter: &'f Filter,
    columns: &'f str,
    start: Start,
    is_over: bool,
    /// Whether older ones were not looked at.
    is_cut: bool,
}

impl<'f> Walk<'f> {
    fn new(filter: &'f Filter, columns: &'f str) -> Walk<'f> {
        Walk {
            filter,
            columns,
            start: Start::of(filter),
            is_over: false,
            is_cut: false,
        }
    }

    /// The next traces. None after the last.
    async fn next(
        &mut self,
        database: &impl Database,
    ) -> Result<Option<Vec<Found>>, DatabaseError> {
        if self.is_over {
            return Ok(None);
        }
        let place = (self.start, CHUNK);
        let matching = matching_from(database, self.filter, self.columns, place).await?;
        self.is_cut = matching.unread.is_some();
        self.is_over = self.is_cut || matching.found.len() < CHUNK;
        self.start.read = matching.read;
        if let Some(last) = matching.found.last() {
            self.start.cursor = last.cursor(self.filter);
        }
        Ok(Some(matching.found))
    }

    /// Counts bytes of spans that were read for the traces.
    fn add_read(&mut self, bytes: usize) {
        self.start.read += bytes;
        if self.start.read >= MAX_READ_BYTES && !self.is_over {
            self.is_cut = true;
            self.is_over = true;
        }
    }
}

/// How many traces match a filter. None if too many bytes of spans would have to be read.
///
/// # Errors
/// Any error of the database.
pub async fn count(
    database: &impl Database,
    filter: &Filter,
) -> Result<Option<i64>, DatabaseError> {
    if filter.is_decided_by_sql() {
        let (condition, values) = filter.sql();
        let select = format!("SELECT COUNT(*) FROM tracing_tail_traces t WHERE {condition}");
        let rows = database.execute(&select, values).await?;
        return Ok(rows.first().map(|row| row[0].integer()));
    }
    let mut walk = Walk::new(filter, "t.id");
    let mut many = 0;
    while let Some(found) = walk.next(database).await? {
        many += found.len();
    }
    Ok(i64::try_from(many).ok().filter(|_| !walk.is_cut))
}

/// What is known of the traces of a shape.
struct Collected {
    durations: Vec<i64>,
    spans: [i64; 2],
    latest: Latest,
}

/// Groups all traces that match a filter.
///
/// # Errors
/// Any error of the database.
pub async fn groups(database: &impl Database, filter: &Filter) -> Result<Groups, DatabaseError> {
    let mut walk = Walk::new(filter, GROUP_COLUMNS);
    let mut shapes = HashMap::<Shape, Collected>::new();
    let mut traces = 0;
    while let Some(found) = walk.next(database).await? {
        let (mut began, bytes) = failure::of_spans(database, &found).await?;
        walk.add_read(bytes);
        traces += found.len();
        for one in &found {
            let began = began.remove(&one.id());
            let number = |column: usize| one.extra()[column].integer();
            let collected = shapes
                .entry(shape(one, began))
                .or_insert_with(|| Collected::new(one));
            collected.durations.push(number(1));
            let [fewest, most] = &mut collected.spans;
            *fewest = number(2).min(*fewest);
            *most = number(2).max(*most);
        }
    }
    let mut groups: Vec<_> = shapes.into_iter().collect();
    groups.sort_by(|(_, one), (_, other)| {
        let many = other.durations.len().cmp(&one.durations.len());
        many.then_with(|| one.latest.trace_id.cmp(&other.latest.trace_id))
    });
    let more_groups = groups.len().saturating_sub(MAX_GROUPS);
    groups.truncate(MAX_GROUPS);
    Ok(Groups {
        groups: groups.into_iter().map(group).collect(),
        more_groups,
        traces,
        more: walk.is_cut,
    })
}

impl Collected {
    /// The first that is found is the one that arrived last.
    fn new(latest: &Found) -> Collected {
        Collected {
            durations: Vec::new(),
            spans: [i64::MAX, 0],
            latest: Latest {
                trace_id: hex::encode(latest.trace_id()),
                start_ns: latest.extra()[0].integer().to_string(),
            },
        }
    }
}

/// The shape of a trace whose error began in a service that its spans told, if they were read.
fn shape(one: &Found, began: Option<String>) -> Shape {
    let column = |column: usize| &one.extra()[column];
    let is = |at: usize| column(at).integer() != 0;
    let outcome = match (is(5), column(6).text()) {
        (false, _) => "",
        (true, "") if is(7) => "error",
        (true, "") => "ok",
        (true, status) => status,
    };
    let began = began.or_else(|| one.failure_service());
    Shape {
        service: column(3).text().to_owned(),
        name: column(4).text().to_owned(),
        outcome: outcome.to_owned(),
        error_service: one.may_fail().then(|| began.unwrap_or_default()),
        services: one.services().len(),
    }
}

fn group((of, collected): (Shape, Collected)) -> Group {
    let mut durations = collected.durations;
    durations.sort_unstable();
    Group {
        shape: of.to_text(),
        count: durations.len(),
        p50_ns: quantile(&durations, 50),
        p95_ns: quantile(&durations, 95),
        spans: collected.spans,
        latest: collected.latest,
        of,
    }
}

/// The nearest rank.
fn quantile(sorted: &[i64], percent: usize) -> i64 {
    let rank = (percent * sorted.len()).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;
    use opentelemetry_proto::tonic::trace::v1::Span;

    use super::super::list;
    use super::super::tests::{attribute, batch, failed, span, stored};
    use super::*;
    use crate::wasi::native::NativeDatabase;

    fn answered(status: &str, mut span: Span) -> Span {
        span.attributes = vec![attribute("http.response.status_code", status)];
        span.name = "POST /pay".to_owned();
        span
    }

    /// Three that answered 200, two whose error began in `fraud`, one in `bank`, which spans have to tell.
    fn database() -> NativeDatabase {
        let shop = [1, 2, 3].map(|trace| answered("200", span(trace, 1, 0)));
        let bad = [4, 5, 6].map(|trace| failed(answered("502", span(trace, 1, 0))));
        let batches = [
            batch("shop", shop.into_iter().chain(bad).collect()),
            batch(
                "fraud",
                [4, 5].map(|trace| failed(span(trace, 2, 1))).to_vec(),
            ),
            batch("bank", vec![failed(span(6, 2, 1)), span(6, 3, 2)]),
        ];
        stored(&batches)
    }

    fn filter(query: &str) -> Filter {
        let uri = format!("/?{query}").parse().unwrap();
        Filter::read(&uri).unwrap()
    }

    #[test]
    fn traces_are_grouped_by_root_outcome_and_where_the_error_began() {
        let database = database();
        let found = block_on(groups(&database, &filter(""))).unwrap();
        let shapes: Vec<_> = found
            .groups
            .iter()
            .map(|one| (one.count, &*one.shape))
            .collect();
        let expected = [
            (3, r#"["shop","POST /pay","200",null,1]"#),
            (2, r#"["shop","POST /pay","502","fraud",2]"#),
            (1, r#"["shop","POST /pay","502","bank",2]"#),
        ];
        assert_eq!(shapes, expected);
        assert_eq!(found.groups[2].spans, [3, 3]);
        assert_eq!((found.traces, found.more, found.more_groups), (6, false, 0));
    }

    #[test]
    fn the_shape_of_a_group_finds_its_traces_and_counts_them() {
        let database = database();
        let all = block_on(groups(&database, &filter(""))).unwrap();
        for group in all.groups {
            let shape: String = form_urlencoded::byte_serialize(group.shape.as_bytes()).collect();
            let filter = filter(&format!("shape={shape}"));
            let page = block_on(list::traces(&database, &filter)).unwrap();
            assert_eq!(page.traces.len(), group.count, "{}", group.shape);
            for trace in &page.traces {
                assert_eq!(trace.error_service, group.of.error_service);
                assert_eq!(trace.status, group.of.outcome);
            }
            let counted = block_on(count(&database, &filter)).unwrap();
            assert_eq!(counted, i64::try_from(group.count).ok());
        }
        assert_eq!(
            block_on(count(&database, &filter("errors=true"))).unwrap(),
            Some(3)
        );
        assert_eq!(
            block_on(count(&database, &filter("limit=1"))).unwrap(),
            Some(6)
        );
    }

    #[test]
    fn a_quantile_is_the_nearest_rank() {
        assert_eq!(quantile(&[7], 95), 7);
        assert_eq!(quantile(&[1, 2, 3, 4], 50), 2);
        assert_eq!(quantile(&[1, 2, 3, 4], 95), 4);
        assert_eq!(quantile(&[], 50), 0);
    }
}
