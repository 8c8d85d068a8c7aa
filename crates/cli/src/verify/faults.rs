//! What was done to spans on purpose, as far as it changes what must arrive.

use std::time::Duration;

use tracing_tail::simulate::telemetry_faults::{
    ContextFault, ExportFault, Fault, SpanFault, TelemetryFaults,
};

use super::expected::{ExpectedSpan, Report};

/// Within this time the last export of split ones leaves.
const SPLIT: Duration = Duration::from_secs(5);

/// Reads a fault as a report has it. `None` if this program does not know it: then it changes nothing here.
pub fn read(text: &str) -> Option<Fault> {
    TelemetryFaults::parse(text).ok()?.only()
}

impl ExpectedSpan {
    /// Whether the span must arrive.
    pub fn must_arrive(&self) -> bool {
        self.sampled && !self.is_lost()
    }

    /// Whether the span never left, on purpose.
    pub fn is_lost(&self) -> bool {
        self.has(Fault::Span(SpanFault::Lost))
    }

    /// How many times the span was sent.
    pub fn times_sent(&self) -> usize {
        match self.has(Fault::Span(SpanFault::Twice)) {
            true => 2,
            false => 1,
        }
    }

    /// Whether the span starts its service's part in an old trace.
    pub fn reuses_trace(&self) -> bool {
        self.has(Fault::ReusedTrace)
    }

    /// What is wrong with the context that was sent on, if that keeps the next service from continuing the trace.
    pub fn cuts_trace(&self) -> Option<ContextFault> {
        self.faults.iter().find_map(|fault| match fault {
            Fault::Context(ContextFault::Unsampled) => None,
            Fault::Context(fault) => Some(*fault),
            _ => None,
        })
    }

    fn late(&self) -> Duration {
        let late = self.faults.iter().find_map(|fault| match fault {
            Fault::Export(ExportFault::Late(late)) => Some(*late),
            Fault::Export(ExportFault::Split) => Some(SPLIT),
            _ => None,
        });
        late.unwrap_or_default()
    }

    fn has(&self, fault: Fault) -> bool {
        self.faults.contains(&fault)
    }
}

impl Report {
    /// How much later than usual the spans leave.
    pub fn late(&self) -> Duration {
        let late = self.spans.iter().map(ExpectedSpan::late);
        late.max().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
