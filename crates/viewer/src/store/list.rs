//! The list of traces that match a filter.

use serde::Serialize;

use super::matching::{Found, matching};
use crate::filter::Filter;
use crate::otlp::hex;
use crate::store::totals::Service;
use crate::wasi::{Database, DatabaseError};

/// The most services that a trace in a list names.
const MAX_SERVICES: usize = 20;
/// What is known to be missing of a trace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Incomplete {
    /// Spans that were not taken: too large, or too many.
    pub refused: i64,
}

/// A trace in a list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// Its place in the order of arrival; the cursor of `before`.
    pub id: i64,
    /// 32 hexadecimal digits.
    pub trace_id: String,
    /// The number of its latest change; the cursor of `changed_after`.
    pub changed: i64,
    /// Its first span's start: nanoseconds since 1970, as text.
    pub start_ns: String,
    /// From the first start to the last end.
    pub duration_ns: i64,
    /// Spans so far.
    pub spans: i64,
    /// Those with an error.
    pub errors: i64,
    /// The service and name of the root, or of the first span while there is none.
    pub service: String,
    /// See `service`.
    pub name: String,
    /// Whether a span without parent has arrived.
    pub rooted: bool,
    /// The services, those with the most spans first.
    pub services: Vec<Service>,
    /// What is known to be missing of it.
    pub incomplete: Option<Incomplete>,
    /// Whether it is pinned.
    pub pinned: bool,
}

/// What a list shows of a trace beside what a filter has to know.
const OF_SUMMARY: &str = "t.start_ns, t.duration_ns, t.spans, t.errors, t.service, t.name, t.rooted, t.refused, t.pinned";
impl Found {
    fn summary(&self) -> Summary {
        let asked = self.asked();
        let number = |column: usize| asked[column].integer();
        let services = self.services().into_iter();
        let mut services: Vec<_> = services
            .map(|(name, spans, errors)| Service {
                name,
                spans,
                errors,
            })
            .collect();
        services.sort_by_key(|service| -service.spans);
        services.truncate(MAX_SERVICES);
        Summary {
            id: self.id(),
            trace_id: hex::encode(self.trace_id()),
            changed: self.changed(),
            start_ns: number(0).to_string(),
            duration_ns: number(1),
            spans: number(2),
            errors: number(3),
            service: asked[4].text().to_owned(),
            name: asked[5].text().to_owned(),
            rooted: number(6) != 0,
            services,
            incomplete: Some(number(7))
                .filter(|refused| *refused > 0)
                .map(|refused| Incomplete { refused }),
            pinned: number(8) != 0,
        }
    }
}

/// Traces that a filter lets through.
#[derive(Debug)]
pub struct Page {
    /// No more than the limit.
    pub traces: Vec<Summary>,
    /// Whether there may be more: after the last of these, or after what was looked at.
    pub more: bool,
    /// Where to go on: the number of the last trace, or of its change with `changed_after`.
    pub last: Option<i64>,
}

/// The traces that a filter lets through, newest first; or, with `changed_after`, in the order of
/// their changes.
///
/// # Errors
/// Any error of the database.
pub async fn traces(database: &impl Database, filter: &Filter) -> Result<Page, DatabaseError> {
    let limit = usize::try_from(filter.limit).unwrap_or(usize::MAX);
    let mut page = matching(database, filter, OF_SUMMARY, limit + 1).await?;
    let more = page.found.len() > limit;
    page.found.truncate(limit);
    let last = page.found.last().map(|last| last.place(filter));
    Ok(Page {
        traces: page.found.iter().map(Found::summary).collect(),
        more: more || page.unread.is_some(),
        last: if more { last } else { page.unread.or(last) },
    })
}
