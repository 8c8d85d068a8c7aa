//! The service where the error of a trace began: from the summary if that tells, or else from the spans.

use foldhash::{HashMap, HashMapExt as _};

use super::matching::{Found, READ_BYTES, trace_spans};
use super::span_view::SpanView;
use super::spans::{self, TraceSpans};
use crate::wasi::{Database, DatabaseError};

/// The services where the errors of traces began, by the number of the trace, and the bytes of spans that were read for
/// them. Traces that would need more than a bounded number of bytes are left out, and so are those whose summary tells.
///
/// # Errors
/// Any error of the database.
pub(super) async fn of_spans(
    database: &impl Database,
    found: &[Found],
) -> Result<(HashMap<i64, String>, usize), DatabaseError> {
    let mut bytes = 0;
    let mut open = Vec::new();
    for one in found {
        let is_open = one.may_fail() && one.failure_service().is_none();
        if is_open && bytes + one.bytes() <= READ_BYTES {
            bytes += one.bytes();
            open.push(one.id());
        }
    }
    let mut began = HashMap::new();
    let rows = spans::traces_rows(database, &open).await?;
    for trace in spans::views_of(&rows) {
        if let Some(service) = of_trace(&trace) {
            began.insert(trace.id, service);
        }
    }
    Ok((began, bytes))
}

impl Found {
    /// Whether it has a span with an error.
    pub(super) fn may_fail(&self) -> bool {
        self.services().iter().any(|(_, _, errors)| *errors > 0)
    }

    /// The service where its error began, if the summary tells.
    pub(super) fn failure_service(&self) -> Option<String> {
        let services = self.services();
        let mut failed = services.into_iter().filter(|(_, _, errors)| *errors > 0);
        let (name, ..) = failed.next()?;
        failed.next().is_none().then_some(name)
    }
}

/// The service of the span where the error began: an error below which there is none, the one that ended first.
pub(super) fn of_trace(trace: &TraceSpans<SpanView<'_>>) -> Option<String> {
    let spans = trace_spans(trace);
    let mut is_passed_on = vec![false; spans.len()];
    for span in spans.iter().filter(|span| span.span.error) {
        let mut above = span.parent;
        // It ends at what is marked already, so that a cycle of parents ends too.
        while let Some(parent) = above.filter(|parent| !is_passed_on[*parent]) {
            is_passed_on[parent] = true;
            above = spans[parent].parent;
        }
    }
    let failed = spans.iter().zip(is_passed_on);
    let began = failed.filter(|(span, is_passed_on)| span.span.error && !is_passed_on);
    let began = began.map(|(span, _)| span);
    let began = began.min_by_key(|span| span.span.end)?;
    Some(began.service.to_owned())
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::super::list;
    use super::super::tests::{self, batch, span, stored};
    use crate::filter::Filter;

    #[test]
    fn the_error_began_below_those_that_pass_it_on() {
        let failed = |trace, id, parent| tests::failed(span(trace, id, parent));
        let batches = [
            batch("shop", vec![failed(1, 1, 0), span(2, 5, 0), span(3, 7, 0)]),
            batch("stock", vec![failed(1, 2, 1), failed(2, 6, 5)]),
            batch("bank", vec![span(1, 3, 2), failed(1, 4, 3)]),
        ];
        let database = stored(&batches);
        let filter = Filter::read(&"/".parse().unwrap()).unwrap();
        let page = block_on(list::traces(&database, &filter)).unwrap();
        let found = page.traces.iter();
        let found: Vec<_> = found
            .map(|trace| (trace.id, trace.root_error, trace.error_service.as_deref()))
            .collect();
        let expected = [
            (3, Some(false), None),
            (2, Some(false), Some("stock")),
            (1, Some(true), Some("bank")),
        ];
        for one in expected {
            assert!(found.contains(&one), "{found:?}");
        }
    }
}
