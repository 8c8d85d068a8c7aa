//! The list of traces that match a filter.

use serde::Serialize;

use super::failure;
use super::matching::{Found, matching};
use crate::filter::Filter;
use crate::otlp::hex;
use crate::store::totals::Service;
use crate::wasi::{Database, DatabaseError};

/// The most services of a trace in the list.
const MAX_SERVICES: usize = 20;
/// What is known to be missing from a trace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Incomplete {
    /// The number of rejected spans: too large, or too many.
    pub refused: i64,
}

/// A trace of the list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// Its number in the order of arrival, which is the cursor of `before`.
    pub id: i64,
    /// 32 hexadecimal digits.
    pub trace_id: String,
    /// The number of its latest change, which is the cursor of `changed_after`.
    pub changed: i64,
    /// Its first span's start: nanoseconds since 1970, as text.
    pub start_ns: String,
    /// From the first start to the last end.
    pub duration_ns: i64,
    /// The number of its spans so far.
    pub spans: i64,
    /// The number of those with an error.
    pub errors: i64,
    /// The status that HTTP or RPC answered with at the root. Empty if it is unknown.
    pub status: String,
    /// Whether the root's status is an error. None without a root.
    pub root_error: Option<bool>,
    /// The service of the span where the error began. None without an error, or if that is not known.
    pub error_service: Option<String>,
    /// The service of the root, or of the first span while there is no root.
    pub service: String,
    /// The name of the same span.
    pub name: String,
    /// Whether a span without parent has arrived.
    pub rooted: bool,
    /// The services, those with the most spans first.
    pub services: Vec<Service>,
    /// The number of services that are left out of the list.
    pub more_services: usize,
    /// What is known to be missing from it.
    pub incomplete: Option<Incomplete>,
    /// Whether it is pinned.
    pub pinned: bool,
}

/// The columns of a trace in the list, besides those of the filter.
const SUMMARY_COLUMNS: &str = "t.start_ns, t.duration_ns, t.spans, t.errors, t.service, t.name, t.rooted, t.refused, t.pinned, t.status,
    t.root_error";
impl Found {
    fn summary(&self, began: Option<String>) -> Summary {
        let extra = self.extra();
        let number = |column: usize| extra[column].integer();
        let services = self.services().into_iter();
        let mut services: Vec<_> = services
            .map(|(name, spans, errors)| Service {
                name,
                spans,
                errors,
            })
            .collect();
        services.sort_by_key(|service| -service.spans);
        let more_services = services.len().saturating_sub(MAX_SERVICES);
        services.truncate(MAX_SERVICES);
        let rooted = number(6) != 0;
        Summary {
            id: self.id(),
            trace_id: hex::encode(self.trace_id()),
            changed: self.changed(),
            start_ns: number(0).to_string(),
            duration_ns: number(1),
            spans: number(2),
            errors: number(3),
            status: if rooted {
                extra[9].text().to_owned()
            } else {
                String::new()
            },
            root_error: rooted.then_some(number(10) != 0),
            error_service: began.or_else(|| self.failure_service()),
            service: extra[4].text().to_owned(),
            name: extra[5].text().to_owned(),
            rooted,
            services,
            more_services,
            incomplete: Some(number(7))
                .filter(|refused| *refused > 0)
                .map(|refused| Incomplete { refused }),
            pinned: number(8) != 0,
        }
    }
}

/// A page of the list.
#[derive(Debug)]
pub struct Page {
    /// At most `limit` traces.
    pub traces: Vec<Summary>,
    /// Whether there may be more.
    pub more: bool,
    /// The cursor of the next page: the last trace's id, or with `changed_after` the number of its change.
    pub last: Option<i64>,
}

/// Reads a page of the traces that match a filter: newest first, or in the order of their changes with `changed_after`.
///
/// # Errors
/// Any error of the database.
pub async fn traces(database: &impl Database, filter: &Filter) -> Result<Page, DatabaseError> {
    let limit = usize::try_from(filter.limit).unwrap_or(usize::MAX);
    let mut page = matching(database, filter, SUMMARY_COLUMNS, limit + 1).await?;
    let more = page.found.len() > limit;
    page.found.truncate(limit);
    let last = page.found.last().map(|last| last.cursor(filter));
    let (mut began, _) = failure::of_spans(database, &page.found).await?;
    let traces = page.found.iter();
    let traces = traces.map(|one| one.summary(began.remove(&one.id())));
    Ok(Page {
        traces: traces.collect(),
        more: more || page.unread.is_some(),
        last: if more { last } else { page.unread.or(last) },
    })
}
