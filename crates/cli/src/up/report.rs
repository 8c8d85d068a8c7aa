//! Messages while an application runs, and the totals at its end.

use std::convert::Infallible;
use std::io::{self, Write as _};
use std::time::{Duration, Instant};

use tracing_tail_host::memory::MemoryBudget;

use super::PROGRAM;
use crate::cli::Summary;
use crate::message_account::{self, MessageAccount};
use crate::span_account::{self, SpanAccount};

/// How often there may be something to report.
const INTERVAL: Duration = Duration::from_secs(1);

/// The accounts of an application: of its spans, and of its messages.
#[derive(Debug, Default)]
pub(super) struct Accounts {
    spans: SpanAccount,
    messages: MessageAccount,
}

impl Accounts {
    /// Takes a line of a component's stderr, and reports losses that are due. False if it is about neither.
    pub(super) fn take(&self, component: &str, line: &str) -> bool {
        let taken = self.spans.take(component, line) || self.messages.take(component, line);
        if taken {
            self.report();
        }
        taken
    }

    fn report(&self) {
        let now = Instant::now();
        let losses = [self.spans.report(now), self.messages.report(now)];
        losses
            .iter()
            .flatten()
            .for_each(|losses| eprintln!("{losses}"));
    }
}

/// Reports lost spans and messages, and evicted instances, for as long as it is polled.
pub(super) async fn report_losses(accounts: &Accounts, memory: &MemoryBudget) -> Infallible {
    loop {
        tokio::time::sleep(INTERVAL).await;
        accounts.report();
        if let Some(report) = memory.report() {
            eprintln!("{PROGRAM}: {report}");
        }
    }
}

/// Reports the losses that are not reported yet, and the totals.
pub(super) fn report_totals(
    Accounts { spans, messages }: &Accounts,
    requests: &[(String, u64)],
    summary: Option<Summary>,
) {
    let now = Instant::now();
    let losses = [spans.final_report(now), messages.final_report(now)];
    let (spans, messages) = (spans.totals(requests), messages.totals());
    let described = [
        span_account::describe(&spans),
        message_account::describe(&messages),
    ];
    for text in losses.iter().chain(&described).flatten() {
        eprintln!("{text}");
    }
    if summary == Some(Summary::Json) {
        let mut totals = span_account::to_json(&spans);
        if let Some(messages) = message_account::to_json(&messages) {
            totals["messages"] = messages;
        }
        // A closed stdout is not an error.
        let _ = writeln!(io::stdout(), "{totals}");
    }
}
