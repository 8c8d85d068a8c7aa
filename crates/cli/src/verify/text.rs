//! The outcome as text: a line that a CI log can keep, a table, the reasons, and what was found one by one.

use std::time::Duration;

use super::outcome::{Category, Item, Outcome, Verdict};
use super::quote::plain;

impl Outcome {
    /// The verdict on one line.
    pub fn line(&self) -> String {
        let backend = plain(&self.backend);
        let counts = &self.counts;
        let verdict = match &self.verdict {
            Verdict::Whole => "whole",
            Verdict::NotWhole => "not whole",
            Verdict::NotJudged(reason) => {
                let reason = one_line(reason);
                return format!("verify: could not be judged: {reason}; backend: {backend}");
            }
        };
        let mut words = vec![
            format!("{} spans expected", counts.expected),
            format!("{} found", counts.found),
            format!("{} missing", counts.missing),
            format!("{} twice", counts.twice),
            format!("{} altered", counts.altered),
        ];
        let others = [
            (counts.orphans, "orphans"),
            (counts.pieces, "traces in pieces"),
            (counts.unsampled, "arrived though not sampled"),
            (counts.unexpected, "sent by nobody"),
            (counts.propagation, "with broken propagation"),
            (counts.unprocessed, "messages not processed"),
        ];
        let others = others.iter().filter(|(count, _)| *count > 0);
        words.extend(others.map(|(count, what)| format!("{count} {what}")));
        if self.share.is_some_and(|share| !share.passes()) {
            words.push("another share of traces than expected".to_owned());
        }
        format!(
            "verify: {verdict}: {}; backend: {backend}",
            words.join(", ")
        )
    }

    /// The whole text. Of each category at most `show` items are listed.
    pub fn text(&self, show: usize) -> String {
        let mut lines = vec![self.line()];
        if self.counts.reports > 0 {
            lines.extend(self.table());
        }
        if let Some(share) = &self.share {
            lines.push(format!("Sampling: {share}."));
        }
        if !self.fields.is_empty() {
            let mut fields: Vec<_> = self.fields.iter().collect();
            fields.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
            const MAX_FIELDS: usize = 10;
            let shown = fields.iter().take(MAX_FIELDS);
            let shown: Vec<_> = shown
                .map(|(field, count)| format!("{field} {count}"))
                .collect();
            let more = if fields.len() > MAX_FIELDS {
                ", …"
            } else {
                ""
            };
            lines.push(format!("Altered fields: {}{more}.", shown.join(", ")));
        }
        if self.counts.reports > 0 {
            let notes = self.notes.iter();
            lines.extend(notes.map(|note| format!("Not compared: {note}")));
        }
        if !self.reasons.is_empty() {
            lines.push("Missing spans:".to_owned());
            lines.extend(
                self.reasons
                    .iter()
                    .map(|reason| format!("- {}", reason.text)),
            );
        }
        for category in Category::ALL.into_iter().filter(|_| show > 0) {
            let items = self.items(category, show);
            let rest = category.count(&self.counts) - items.len() as u64;
            for item in &items {
                lines.push(String::new());
                lines.extend(describe(category, item));
            }
            if rest > 0 {
                lines.push(String::new());
                lines.push(format!("{}: {rest} more", category.item()));
            }
        }
        lines.join("\n")
    }

    fn table(&self) -> Vec<String> {
        let counts = &self.counts;
        let without = counts.requests - counts.reports;
        let rows = [
            ("requests", counts.requests, String::new(), true),
            (
                "  without report",
                without,
                "their spans are not known".to_owned(),
                false,
            ),
            ("traces", counts.traces, String::new(), true),
            (
                "  not kept",
                counts.not_sampled,
                "taken as left out by a sampler".to_owned(),
                false,
            ),
            ("  in pieces", counts.pieces, String::new(), false),
            ("spans expected", counts.expected, String::new(), true),
            ("  found", counts.found, String::new(), true),
            ("  missing", counts.missing, String::new(), true),
            ("  twice", counts.twice, String::new(), true),
            ("  altered", counts.altered, String::new(), true),
            (
                "  orphans",
                counts.orphans,
                match counts.orphans {
                    0 => String::new(),
                    _ => "their parent is not there".to_owned(),
                },
                true,
            ),
            (
                "not sampled",
                counts.unsampled,
                "arrived all the same".to_owned(),
                false,
            ),
            (
                "sent by nobody",
                counts.unexpected,
                "of known services".to_owned(),
                false,
            ),
            (
                "broken propagation",
                counts.propagation,
                String::new(),
                false,
            ),
            (
                "messages to consumers",
                counts.deliveries,
                String::new(),
                false,
            ),
            ("  not processed", counts.unprocessed, String::new(), false),
            (
                "  spans of consumers",
                counts.consumer_spans,
                "in no report; whole trees, each span once".to_owned(),
                false,
            ),
            (
                "of other programs",
                counts.foreign,
                "counted apart".to_owned(),
                false,
            ),
            (
                "below calls without report",
                counts.beyond,
                format!("counted apart; {} such calls", counts.left_out),
                false,
            ),
            (
                "parents of other programs",
                counts.foreign_parents,
                "are not there; counted apart".to_owned(),
                false,
            ),
        ];
        let shown = rows
            .iter()
            .filter(|(_, count, _, always)| *always || *count > 0);
        let lines = shown.map(|(label, count, note, _)| {
            format!("{label:<26}  {count:>9}  {note}")
                .trim_end()
                .to_owned()
        });
        let delays = self.delays.map(|delays| {
            format!(
                "{:<26}  p50 {}  p95 {}  max {}",
                "readable after",
                length(delays.p50),
                length(delays.p95),
                length(delays.max)
            )
        });
        lines.chain(delays).collect()
    }
}

/// An item on several lines, without the request's.
pub(super) fn describe(category: Category, item: &Item<'_>) -> Vec<String> {
    let label = category.item();
    let mut lines = match item.span {
        Some(span) => vec![
            format!(
                "{label}: {} {} {}",
                plain(&span.service),
                span.kind,
                plain(&span.name)
            ),
            format!("  trace {} span {}", span.trace_id, span.span_id),
        ],
        None => vec![format!("{label}: trace {}", item.trace_id)],
    };
    let notes = item.notes.iter();
    lines.extend(notes.map(|note| format!("  {}", one_line(note))));
    let differences = item.differences.iter();
    lines.extend(differences.map(|difference| format!("  {difference}")));
    if let Some(page) = &item.origin.page {
        lines.push(format!("  page: {page}"));
    }
    lines.push(format!("  again: {}", item.origin.request));
    lines
}

fn one_line(text: &str) -> String {
    let words: Vec<_> = text.split(char::is_control).map(str::trim).collect();
    words.join(" ")
}

fn length(duration: Duration) -> String {
    match duration.as_secs_f64() {
        seconds @ ..1.0 => format!("{:.0} ms", seconds * 1000.0),
        seconds => format!("{seconds:.1} s"),
    }
}

#[cfg(test)]
pub(super) mod tests;
