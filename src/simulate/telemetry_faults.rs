//! Telemetry that is wrong in a known way: the grammar of its faults, and which of them a request has. Pure.
//!
//! `span=lost;p=10,clock=-2s` is a list, with the percentage of requests that have each fault. Every kind of fault is
//! drawn by itself, so the order of the list does not matter. What a fault does is up to the modules that make spans
//! and send them.

use std::time::Duration;

use super::filler::Filler;
use super::rng::{Decision, SeededRng};
use crate::settings::text::{parse_attributes, parse_duration, parse_percent};

/// The longest time by which spans leave later.
const MAX_LATE: Duration = Duration::from_secs(300);

/// A fault of a request's telemetry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Of the trace context that the service sends on.
    Context(ContextFault),
    /// Of the export of the SERVER span.
    Span(SpanFault),
    /// All times of spans and events are wrong.
    Clock {
        /// What is added to them, in nanoseconds.
        nanos: i64,
        /// Only from the middle of the request on: after its latency, work and leaves.
        steps: bool,
    },
    /// The SERVER span ends before it starts.
    EndBeforeStart,
    /// Of the exports of all spans.
    Export(ExportFault),
    /// The SERVER span is a root of an old trace.
    ReusedTrace,
    /// The SERVER span has many attributes, or large ones.
    Attributes(Filler),
    /// The name of the SERVER span has an id in it.
    NameCardinality,
    /// The status of the SERVER span is Ok where it would be Error.
    OkOverError,
}

/// What is wrong with the trace context that a service sends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContextFault {
    /// There is none.
    Drop,
    /// It is cut off, so that nobody can read it.
    Malformed,
    /// It is that of a span that nobody has made.
    New,
    /// Its ids are in upper case.
    Uppercase,
    /// Its ids are zeros.
    Zero,
    /// It denies sampling.
    Unsampled,
}

/// What is wrong with the export of a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpanFault {
    /// It is not exported.
    Lost,
    /// It is exported twice.
    Twice,
}

/// What is wrong with the exports of a request's spans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFault {
    /// They leave this much later.
    Late(Duration),
    /// Parents leave before their children.
    Reversed,
    /// Each leaves in an export of its own.
    Split,
}

/// The faults of a list, each with the percentage of requests that have it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TelemetryFaults(Vec<(NamedFault, f64)>);

/// A fault, and how it is written without its percentage.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedFault {
    /// The fault.
    pub fault: Fault,
    /// `clock=-2s`.
    pub text: Box<str>,
}

/// The faults that one request has, at least one.
#[derive(Debug, Clone, PartialEq)]
pub struct DrawnFaults(Vec<NamedFault>);

/// The faults by name, without those that have a value of their own.
const NAMED: [(&str, Fault); 14] = [
    ("context=drop", Fault::Context(ContextFault::Drop)),
    ("context=malformed", Fault::Context(ContextFault::Malformed)),
    ("context=new", Fault::Context(ContextFault::New)),
    ("context=uppercase", Fault::Context(ContextFault::Uppercase)),
    ("context=zero", Fault::Context(ContextFault::Zero)),
    ("context=unsampled", Fault::Context(ContextFault::Unsampled)),
    ("span=lost", Fault::Span(SpanFault::Lost)),
    ("span=twice", Fault::Span(SpanFault::Twice)),
    ("end=before-start", Fault::EndBeforeStart),
    ("export=reversed", Fault::Export(ExportFault::Reversed)),
    ("export=split", Fault::Export(ExportFault::Split)),
    ("trace=reused", Fault::ReusedTrace),
    ("name=cardinality", Fault::NameCardinality),
    ("status=ok-over-error", Fault::OkOverError),
];

const ACCEPTED: &str = "one of context=drop, malformed, new, uppercase, zero or unsampled; span=lost or twice; \
     clock=-2s or step:-5s, with a sign and at most 1h; end=before-start; export=late:30s, at most 5m, reversed or \
     split; trace=reused; attributes=200x1KB; name=cardinality; status=ok-over-error";

/// Whether text is the key of a fault.
#[inline(never)]
pub fn is_fault_key(text: &str) -> bool {
    let keys = NAMED.iter().filter_map(|(name, _)| name.split_once('='));
    ["clock", "attributes"].contains(&text) || keys.into_iter().any(|(key, _)| key == text)
}

impl TelemetryFaults {
    /// Reads a list such as `span=lost;p=10,clock=-2s`; nothing is an empty list.
    ///
    /// # Errors
    /// The list is malformed; one sentence with the value and what is accepted.
    pub fn parse(text: &str) -> Result<TelemetryFaults, String> {
        TelemetryFaults::with_rate(text, 100.0)
    }

    /// The same, with the percentage of the faults that name none.
    ///
    /// # Errors
    /// The list is malformed; one sentence with the value and what is accepted.
    #[inline(never)]
    pub fn with_rate(text: &str, percent: f64) -> Result<TelemetryFaults, String> {
        let mut faults: Vec<(NamedFault, f64)> = Vec::new();
        if text.trim().is_empty() {
            return Ok(TelemetryFaults(faults));
        }
        for entry in text.split(',') {
            let (fault, rate) = match entry.split_once(';') {
                Some((fault, rate)) => (fault.trim(), Some(rate.trim())),
                None => (entry.trim(), None),
            };
            let read = NamedFault {
                fault: read_fault(fault)?,
                text: fault.into(),
            };
            let kind = read.fault.kind();
            if faults.iter().any(|(known, _)| known.fault.kind() == kind) {
                let key = fault.split('=').next().unwrap_or_default();
                return Err(format!("'{fault}' is a second fault of the kind {key}="));
            }
            let percent = rate.map_or(Ok(percent), |rate| read_rate(rate, fault))?;
            faults.push((read, percent));
        }
        Ok(TelemetryFaults(faults))
    }

    /// The fault of a list that has one.
    pub fn only(&self) -> Option<Fault> {
        match &self.0[..] {
            [(named, _)] => Some(named.fault),
            _ => None,
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Refuses attributes of more than `max` bytes.
    ///
    /// # Errors
    /// There are more; a sentence with both numbers.
    #[inline(never)]
    pub fn within(self, max: usize) -> Result<TelemetryFaults, String> {
        for (NamedFault { fault, text }, _) in &self.0 {
            if let Fault::Attributes(filler) = fault
                && filler.bytes() > max
            {
                let bytes = filler.bytes();
                return Err(format!(
                    "with '{text}' a span would have {bytes} bytes, and APP_MAX_SPAN_BYTES is {max}"
                ));
            }
        }
        Ok(self)
    }

    /// The faults of the request with these numbers, if it has any.
    #[inline(never)]
    pub fn draw(&self, rng: SeededRng) -> Option<DrawnFaults> {
        let drawn = self.0.iter().filter(|(named, percent)| {
            rng.draw(Decision::Fault(named.fault.kind())) * 100.0 < *percent
        });
        let drawn: Vec<_> = drawn.map(|(named, _)| named.clone()).collect();
        (!drawn.is_empty()).then_some(DrawnFaults(drawn))
    }
}

/// Reads the percentage that follows a fault.
///
/// # Errors
/// It is malformed; one sentence with the value and what is accepted.
#[inline(never)]
pub fn read_rate(text: &str, after: &str) -> Result<f64, String> {
    let percent = text.strip_prefix("p=").and_then(parse_percent);
    percent.ok_or_else(|| {
        format!("'{text}' after '{after}' is not a share such as p=30, from 0 to 100 percent")
    })
}

fn read_fault(text: &str) -> Result<Fault, String> {
    let named = NAMED.iter().find(|(name, _)| *name == text);
    let read = match (named, text.split_once('=')) {
        (Some((_, fault)), _) => Some(*fault),
        (None, Some(("clock", shift))) => read_clock(shift),
        (None, Some(("export", export))) => read_late(export),
        (None, Some(("attributes", attributes))) => {
            let (attributes, attribute_bytes) = parse_attributes(attributes)?;
            Some(Fault::Attributes(Filler {
                attributes,
                attribute_bytes,
                events: 0,
            }))
        }
        (None, _) => None,
    };
    read.ok_or_else(|| format!("'{text}' is not a fault: {ACCEPTED}"))
}

fn read_clock(text: &str) -> Option<Fault> {
    let (steps, text) = match text.strip_prefix("step:") {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (sign, duration) = match text.strip_prefix('-') {
        Some(duration) => (-1, duration),
        None => (1, text.strip_prefix('+')?),
    };
    let nanos = i64::try_from(parse_duration(duration)?.as_nanos()).ok()?;
    (nanos > 0).then_some(Fault::Clock {
        nanos: sign * nanos,
        steps,
    })
}

fn read_late(text: &str) -> Option<Fault> {
    let late = parse_duration(text.strip_prefix("late:")?)?;
    let is_bounded = !late.is_zero() && late <= MAX_LATE;
    is_bounded.then_some(Fault::Export(ExportFault::Late(late)))
}

impl Fault {
    /// The number of its kind: a list has one of each, and each is drawn by itself.
    fn kind(self) -> usize {
        match self {
            Fault::Context(_) => 0,
            Fault::Span(_) => 1,
            Fault::Clock { .. } => 2,
            Fault::EndBeforeStart => 3,
            Fault::Export(_) => 4,
            Fault::ReusedTrace => 5,
            Fault::Attributes(_) => 6,
            Fault::NameCardinality => 7,
            Fault::OkOverError => 8,
        }
    }
}

impl DrawnFaults {
    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &NamedFault> {
        self.0.iter()
    }

    /// What `of` says of one of them.
    pub fn find<T>(&self, of: impl Fn(Fault) -> Option<T>) -> Option<T> {
        self.0.iter().find_map(|named| of(named.fault))
    }

    /// Whether this is one of them.
    pub fn has(&self, fault: Fault) -> bool {
        self.0.iter().any(|named| named.fault == fault)
    }
}

#[cfg(test)]
mod tests;
