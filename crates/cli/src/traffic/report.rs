//! The report of a run: the live line, the final table, and JSON.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::client::Failure;
use super::plan::Plan;
use super::stats::{Stats, Tally};
use super::target::Target;

/// The maximum width of a kind in the table.
const MAX_LABEL: usize = 48;

/// The result of a run.
#[derive(Debug)]
pub struct Report {
    /// The target of the requests.
    pub target: Target,
    /// The settings.
    pub plan: Plan,
    /// The counts.
    pub stats: Stats,
    /// The duration of the run, including the wait for the last answers.
    pub elapsed: Duration,
}

impl Report {
    /// A summary line, and a table with a row for each kind and one for the total.
    pub fn table(&self) -> String {
        let Report {
            target,
            plan,
            stats,
            elapsed,
        } = self;
        let total = &stats.total;
        let seconds = elapsed.as_secs_f64();
        let mut lines = vec![format!(
            "{} {} in {seconds:.1} s at {} to {target}",
            total.sent,
            if total.sent == 1 {
                "request"
            } else {
                "requests"
            },
            plan.rate
        )];
        if stats.unanswered > 0 {
            lines.push(format!("unanswered: {}", stats.unanswered));
        }
        if stats.not_sent > 0 {
            lines.push(format!("not sent: {}", stats.not_sent));
        }
        let columns = Columns::of(total);
        let mut rows = vec![columns.head()];
        let kinds = plan.mix.kinds();
        for (kind, tally) in kinds.iter().zip(&stats.kinds) {
            rows.push(columns.row(&shorten(&kind.to_string()), tally));
        }
        if kinds.len() > 1 {
            rows.push(columns.row("total", total));
        }
        lines.extend(align(&rows));
        lines.join("\n")
    }

    /// The report as one JSON object.
    pub fn to_json(&self) -> Value {
        let Report {
            target,
            plan,
            stats,
            elapsed,
        } = self;
        let kinds = plan.mix.kinds().iter().zip(&stats.kinds);
        let kinds = kinds.map(|(kind, tally)| {
            let mut json = tally_to_json(tally);
            json["kind"] = kind.to_string().into();
            json["weight"] = kind.weight.into();
            json
        });
        let mut json = tally_to_json(&stats.total);
        json["url"] = target.to_string().into();
        json["rate"] = plan.rate.to_string().into();
        json["connections"] = plan.connections.into();
        json["seed"] = plan.seed.clone().into();
        json["seconds"] = elapsed.as_secs_f64().into();
        json["not_sent"] = stats.not_sent.into();
        json["unanswered"] = stats.unanswered.into();
        json["kinds"] = kinds.collect();
        json
    }
}

/// The counts so far on one line.
pub fn live(stats: &Stats, elapsed: Duration) -> String {
    let Tally {
        sent,
        late,
        statuses,
        failures,
        latencies,
    } = &stats.total;
    let mut words = vec![format!("{} s", elapsed.as_secs()), format!("sent {sent}")];
    words.extend(
        statuses
            .iter()
            .map(|(status, count)| format!("{status}: {count}")),
    );
    words.extend(
        failures
            .iter()
            .map(|(failure, count)| format!("{failure}: {count}")),
    );
    for (name, percent) in [("p50", 50.0), ("p95", 95.0)] {
        words.push(format!(
            "{name} {}",
            duration(latencies.percentile(percent))
        ));
    }
    words.push(format!("late {late}"));
    words.join("  ")
}

/// The columns that depend on the run.
struct Columns {
    statuses: BTreeSet<u16>,
    failures: BTreeSet<Failure>,
}

impl Columns {
    fn of(total: &Tally) -> Columns {
        Columns {
            statuses: total.statuses.keys().copied().collect(),
            failures: total.failures.keys().copied().collect(),
        }
    }

    fn head(&self) -> Vec<String> {
        let mut head = vec!["kind".to_owned(), "sent".to_owned()];
        head.extend(self.statuses.iter().map(ToString::to_string));
        head.extend(self.failures.iter().map(ToString::to_string));
        head.extend(["late", "p50", "p95", "max"].map(str::to_owned));
        head
    }

    fn row(&self, label: &str, tally: &Tally) -> Vec<String> {
        let count = |count: Option<&u64>| count.copied().unwrap_or_default().to_string();
        let mut row = vec![label.to_owned(), tally.sent.to_string()];
        row.extend(
            self.statuses
                .iter()
                .map(|status| count(tally.statuses.get(status))),
        );
        row.extend(
            self.failures
                .iter()
                .map(|failure| count(tally.failures.get(failure))),
        );
        row.push(tally.late.to_string());
        row.push(duration(tally.latencies.percentile(50.0)));
        row.push(duration(tally.latencies.percentile(95.0)));
        row.push(duration(tally.latencies.max()));
        row
    }
}

/// Aligns the first column to the left, the others to the right.
fn align(rows: &[Vec<String>]) -> impl Iterator<Item = String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |at: usize| {
        let cells = rows.iter().filter_map(|row| row.get(at));
        cells
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or_default()
    };
    let widths: Vec<_> = (0..columns).map(width).collect();
    rows.iter().map(move |row| {
        let cells = row.iter().zip(&widths).enumerate();
        let cells = cells.map(|(at, (cell, width))| match at {
            0 => format!("{cell:<width$}"),
            _ => format!("{cell:>width$}"),
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    })
}

fn shorten(label: &str) -> String {
    if label.chars().count() <= MAX_LABEL {
        return label.to_owned();
    }
    let kept: String = label.chars().take(MAX_LABEL - 1).collect();
    format!("{kept}…")
}

/// Formats a duration with two or three significant digits.
fn duration(duration: Option<Duration>) -> String {
    let Some(seconds) = duration.map(|duration| duration.as_secs_f64()) else {
        return "-".to_owned();
    };
    match seconds {
        ..0.00995 => format!("{:.1}ms", seconds * 1e3),
        ..0.9995 => format!("{:.0}ms", seconds * 1e3),
        ..9.995 => format!("{seconds:.2}s"),
        _ => format!("{seconds:.1}s"),
    }
}

fn tally_to_json(tally: &Tally) -> Value {
    let counts = |pairs: &mut dyn Iterator<Item = (String, u64)>| -> Value {
        pairs
            .map(|(name, count)| (name, Value::from(count)))
            .collect()
    };
    let statuses = tally.statuses.iter();
    let failures = tally.failures.iter();
    let millis =
        |duration: Option<Duration>| duration.map(|duration| duration.as_micros() as f64 / 1e3);
    let latencies = &tally.latencies;
    json!({
        "sent": tally.sent,
        "late": tally.late,
        "answered": tally.answered(),
        "failed": tally.failed(),
        "statuses": counts(&mut statuses.map(|(status, count)| (status.to_string(), *count))),
        "failures": counts(&mut failures.map(|(failure, count)| (failure.to_string(), *count))),
        "latency_ms": {
            "p50": millis(latencies.percentile(50.0)),
            "p95": millis(latencies.percentile(95.0)),
            "p99": millis(latencies.percentile(99.0)),
            "max": millis(latencies.max()),
        },
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::kind::Kind;
    use super::super::mix::Mix;
    use super::*;

    fn tally(sent: u64, statuses: &[(u16, u64)], failures: &[(Failure, u64)]) -> Tally {
        let mut tally = Tally {
            sent,
            late: 1,
            statuses: statuses.iter().copied().collect(),
            failures: failures.iter().copied().collect(),
            ..Tally::default()
        };
        for _ in 0..tally.answered() {
            tally.latencies.record(Duration::from_millis(20));
        }
        tally
    }

    fn report() -> Report {
        let kinds = ["9", "1 baggage tail.*.errors=503:100"];
        let kinds = kinds.map(|kind| Kind::parse(kind).unwrap());
        let refused = [(Failure::ConnectionRefused, 2)];
        Report {
            target: Target::parse("http://me:hunter2@h").unwrap(),
            plan: Plan {
                mix: Mix::new(kinds.to_vec()),
                ..Plan::default()
            },
            stats: Stats {
                total: tally(110, &[(200, 97), (503, 10)], &refused),
                kinds: vec![
                    tally(100, &[(200, 97)], &refused),
                    tally(10, &[(503, 10)], &[]),
                ],
                not_sent: 3,
                unanswered: 1,
            },
            elapsed: Duration::from_millis(12_340),
        }
    }

    #[test]
    fn draws_a_table() {
        let expected = "\
110 requests in 12.3 s at 1/s to http://h/process
unanswered: 1
not sent: 3
kind                           sent  200  503  connection_refused  late   p50   p95   max
plain                           100   97    0                   2     1  20ms  20ms  20ms
baggage tail.*.errors=503:100    10    0   10                   0     1  20ms  20ms  20ms
total                           110   97   10                   2     1  20ms  20ms  20ms";
        assert_eq!(report().table(), expected);
    }

    #[test]
    fn gives_the_same_as_json() {
        let json = report().to_json();
        let table = [
            ("/url", json!("http://h/process")),
            ("/rate", json!("1/s")),
            ("/sent", json!(110)),
            ("/late", json!(1)),
            ("/answered", json!(107)),
            ("/failed", json!(2)),
            ("/not_sent", json!(3)),
            ("/unanswered", json!(1)),
            ("/statuses", json!({"200": 97, "503": 10})),
            ("/failures", json!({"connection_refused": 2})),
            ("/latency_ms/p95", json!(20.0)),
            ("/seed", json!(null)),
            ("/kinds/1/kind", json!("baggage tail.*.errors=503:100")),
            ("/kinds/1/statuses", json!({"503": 10})),
            ("/kinds/0/weight", json!(9.0)),
        ];
        for (pointer, value) in table {
            assert_eq!(json.pointer(pointer), Some(&value), "{pointer}");
        }
    }

    #[test]
    fn shows_how_it_goes_on_one_line() {
        let line = live(&report().stats, Duration::from_millis(2500));
        let expected =
            "2 s  sent 110  200: 97  503: 10  connection_refused: 2  p50 20ms  p95 20ms  late 1";
        assert_eq!(line, expected);
        let empty = Stats::new(1);
        assert_eq!(
            live(&empty, Duration::ZERO),
            "0 s  sent 0  p50 -  p95 -  late 0"
        );
    }

    #[test]
    fn a_duration_has_as_many_digits_as_say_something() {
        let table: BTreeMap<_, _> = [
            (0, "0.0ms"),
            (1_240, "1.2ms"),
            (12_400, "12ms"),
            (999_000, "999ms"),
            (1_234_000, "1.23s"),
            (61_000_000, "61.0s"),
        ]
        .into();
        for (micros, text) in table {
            assert_eq!(duration(Some(Duration::from_micros(micros))), text);
        }
    }

    #[test]
    fn a_long_description_is_cut() {
        let label = shorten(&"x".repeat(60));
        assert_eq!(label.chars().count(), MAX_LABEL);
        assert!(label.ends_with('…'));
    }
}
