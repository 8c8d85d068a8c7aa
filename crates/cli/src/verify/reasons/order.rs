//! What missing spans have in common in the order of their ends: the order in which they are exported.

use std::collections::BTreeMap;
use std::time::Duration;

use super::evidence::{Evidence, Record};
use super::{Filter, MAX_CHANCE, MAX_STATED, MIN_SPANS, Reason, Scope, count, is_unlikely, name};

/// The default size of a batch (OTEL_BSP_MAX_EXPORT_BATCH_SIZE in the SDK's specification).
const MAX_BATCH: usize = 512;
/// The default time that a batch is gathered for (OTEL_BSP_SCHEDULE_DELAY).
const MAX_DELAY: Duration = Duration::from_secs(5);

/// Missing spans one after another, by place in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    first: usize,
    len: usize,
}

impl Evidence {
    /// Moments, intervals, batches and every nth span.
    pub(super) fn order(&self, records: &[Record]) -> Vec<Reason> {
        let mut all = records.to_vec();
        // Where ends are equal, missing spans come last: a moment is one after which nothing arrived.
        all.sort_by_key(|record| (record.end, record.missing));
        let Some(start) = all.first().map(|record| record.end) else {
            return Vec::new();
        };
        let mut by_service: BTreeMap<u32, Vec<Record>> = BTreeMap::new();
        for record in &all {
            by_service.entry(record.service).or_default().push(*record);
        }
        let several = by_service.len() > 1;
        let mut reasons = Vec::new();
        if several {
            reasons.extend(self.moment(None, &all, start));
            reasons.extend(self.interval(&all, start));
            reasons.extend(self.every_nth(None, &all));
        }
        for (service, records) in &by_service {
            if records.iter().any(|record| record.missing) {
                let rest = self.is_unexplained(records, &reasons);
                reasons.extend(self.every_nth(Some(*service), records));
                let moment = self.moment(Some(*service), records, start);
                reasons.extend(moment.filter(|_| rest));
            }
        }
        let mut batches = Vec::new();
        for (service, records) in &by_service {
            batches.extend(self.batches(*service, records, &reasons));
        }
        batches.sort_by_key(|(len, _)| std::cmp::Reverse(*len));
        let more = batches.len().saturating_sub(MAX_STATED);
        let spans: usize = batches.iter().skip(MAX_STATED).map(|(len, _)| len).sum();
        reasons.extend(batches.into_iter().take(MAX_STATED).map(|(_, batch)| batch));
        if more > 0 {
            let batches = count(more, "other run");
            reasons.push(Reason::of_run(format!(
                "{batches} of missing spans, {spans} in total: probably batches too."
            )));
        }
        reasons
    }

    /// That everything is missing that ended after a moment.
    fn moment(&self, service: Option<u32>, records: &[Record], start: u64) -> Option<Reason> {
        let last = records.iter().rposition(|record| !record.missing)?;
        let after = records.partition_point(|record| record.end <= records[last].end);
        let lost = &records[after..];
        let missing = records[..after].iter().filter(|record| record.missing);
        let outside = (missing.count(), after);
        if !is_unlikely(lost.len(), outside, records.len()) || !is_of_several_traces(lost) {
            return None;
        }
        let since = length(records[last].end - start);
        let of = service.map_or(String::new(), |service| {
            format!(" of {}", name(self.text(service)))
        });
        Some(Reason::of_spans(
            format!(
                "Every span{of} that ended later than {since} after the first one is missing: {}.",
                count(lost.len(), "span")
            ),
            format!("nothing{of} arrived from a moment on"),
            self.ended(service, lost),
        ))
    }

    /// That everything of several services is missing that ended within an interval.
    fn interval(&self, records: &[Record], start: u64) -> Option<Reason> {
        let runs = runs(records);
        let longest = runs
            .into_iter()
            .filter(|run| run.first + run.len < records.len());
        let run = longest.max_by_key(|run| run.len)?;
        let lost = &records[run.first..run.first + run.len];
        let several = lost.iter().any(|record| record.service != lost[0].service);
        if !several || !is_of_several_traces(lost) || !is_run(run, records) {
            return None;
        }
        let (first, last) = (lost[0].end, lost[lost.len() - 1].end);
        Some(Reason::of_spans(
            format!(
                "Every span that ended from {} to {} after the first one is missing: {}.",
                length(first - start),
                length(last - start),
                count(lost.len(), "span")
            ),
            "nothing arrived for an interval".to_owned(),
            self.ended(None, lost),
        ))
    }

    /// Missing spans of one service that ended one after another, each with its length.
    fn batches(&self, service: u32, records: &[Record], known: &[Reason]) -> Vec<(usize, Reason)> {
        let of = name(self.text(service));
        let runs = runs(records).into_iter();
        let runs = runs.filter(|run| is_run(*run, records) && run.len < records.len());
        let batches = runs.filter_map(|run| {
            let lost = &records[run.first..run.first + run.len];
            if !self.is_unexplained(lost, known) {
                return None;
            }
            let within = lost[lost.len() - 1].end - lost[0].end;
            let one = run.len <= MAX_BATCH && within <= MAX_DELAY.as_nanos() as u64;
            let guess = match one {
                true => "probably one batch",
                false => "probably several batches",
            };
            let text = format!(
                "{} of {of} that ended within {}, one after another, are missing: {guess}.",
                count(run.len, "span"),
                length(within)
            );
            let short = format!("{guess} of {of}, with {}", count(run.len, "span"));
            let filter = self.ended(Some(service), lost);
            Some((run.len, Reason::of_spans(text, short, filter)))
        });
        batches.collect()
    }

    /// That the same number of spans lies between one missing span and the next.
    fn every_nth(&self, service: Option<u32>, records: &[Record]) -> Option<Reason> {
        let places = records.iter().enumerate();
        let places = places.filter(|(_, record)| record.missing);
        let places: Vec<_> = places.map(|(at, _)| at).collect();
        let gaps: Vec<_> = places.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let span = places.last()? - places.first()?;
        let nth = (span as f64 / gaps.len().max(1) as f64).round() as usize;
        let furthest = gaps.iter().map(|gap| gap.abs_diff(nth)).max()?;
        // A random gap is a given number with a probability of less than one in n.
        let chance = ((2 * furthest + 1) as f64 / nth.max(1) as f64).powf(gaps.len() as f64 - 1.0);
        if nth < 2 || gaps.len() < MIN_SPANS || furthest * 10 > nth || chance > MAX_CHANCE {
            return None;
        }
        let about = if furthest == 0 {
            "every"
        } else {
            "about every"
        };
        let of = service.map_or(String::new(), |service| {
            format!(" of {}", name(self.text(service)))
        });
        let rank = ordinal(nth);
        Some(Reason::of_spans(
            format!(
                "In the order of their ends {about} {rank} span{of} is missing: {} of {}.",
                places.len(),
                records.len()
            ),
            format!("{about} {rank} span{of} is missing"),
            Filter {
                service: service.map(|service| self.text(service).to_owned()),
                ..Filter::default()
            },
        ))
    }

    /// Whether a missing span is in no interval, and after no moment, that is stated already.
    fn is_unexplained(&self, records: &[Record], known: &[Reason]) -> bool {
        let mut missing = records.iter().filter(|record| record.missing);
        missing.any(|record| {
            !known.iter().any(|reason| match &reason.scope {
                Scope::Spans(Filter {
                    service,
                    ended: Some((first, last)),
                    ..
                }) => {
                    let of = self.text(record.service);
                    service.as_ref().is_none_or(|service| service == of)
                        && (*first..=*last).contains(&record.end)
                }
                Scope::Spans(_) | Scope::Run => false,
            })
        })
    }

    fn ended(&self, service: Option<u32>, lost: &[Record]) -> Filter {
        Filter {
            service: service.map(|service| self.text(service).to_owned()),
            ended: Some((lost[0].end, lost[lost.len() - 1].end)),
            ..Filter::default()
        }
    }
}

fn runs(records: &[Record]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (at, _) in records
        .iter()
        .enumerate()
        .filter(|(_, record)| record.missing)
    {
        match runs.last_mut() {
            Some(run) if run.first + run.len == at => run.len += 1,
            _ => runs.push(Run { first: at, len: 1 }),
        }
    }
    runs
}

/// Whether so long a run is very unlikely where the spans outside of it are missing as often as they are.
fn is_run(run: Run, records: &[Record]) -> bool {
    let missing = records.iter().filter(|record| record.missing).count();
    let outside = (missing - run.len, records.len() - run.len);
    is_unlikely(run.len, outside, records.len())
}

fn is_of_several_traces(records: &[Record]) -> bool {
    records
        .iter()
        .any(|record| record.trace != records[0].trace)
}

fn length(nanoseconds: u64) -> String {
    let duration = Duration::from_nanos(nanoseconds);
    match duration.as_secs_f64() {
        ..0.001 => format!("{} µs", duration.as_micros()),
        seconds @ ..1.0 => format!("{:.0} ms", seconds * 1000.0),
        seconds => format!("{seconds:.3} s"),
    }
}

fn ordinal(number: usize) -> String {
    let suffix = match (number % 100, number % 10) {
        (11..=13, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    };
    format!("{number}{suffix}")
}
