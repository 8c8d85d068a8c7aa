//! Messages while an application runs, and the totals at its end.

use std::convert::Infallible;
use std::io::{self, Write as _};
use std::time::{Duration, Instant};

use tracing_tail_host::memory::MemoryBudget;

use super::PROGRAM;
use crate::cli::Summary;
use crate::span_account::{self, SpanAccount};

/// How often there may be something to report.
const INTERVAL: Duration = Duration::from_secs(1);

/// Reports lost spans and evicted instances for as long as it is polled.
pub(super) async fn report_losses(spans: &SpanAccount, memory: &MemoryBudget) -> Infallible {
    loop {
        tokio::time::sleep(INTERVAL).await;
        if let Some(losses) = spans.report(Instant::now()) {
            eprintln!("{losses}");
        }
        if let Some(report) = memory.report() {
            eprintln!("{PROGRAM}: {report}");
        }
    }
}

/// Reports the losses that are not reported yet, and the totals.
pub(super) fn report_totals(
    spans: &SpanAccount,
    requests: &[(String, u64)],
    summary: Option<Summary>,
) {
    if let Some(losses) = spans.final_report(Instant::now()) {
        eprintln!("{losses}");
    }
    let totals = spans.totals(requests);
    if let Some(described) = span_account::describe(&totals) {
        eprintln!("{described}");
    }
    if summary == Some(Summary::Json) {
        // A closed stdout is not an error.
        let _ = writeln!(io::stdout(), "{}", span_account::to_json(&totals));
    }
}
