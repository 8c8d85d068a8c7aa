//! Which traces are recorded: the six samplers of the OpenTelemetry specification.
//!
//! Source: the SDK environment variables' section "General SDK Configuration".

use opentelemetry::trace::{Link, SpanKind, TraceId};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{Sampler, SamplingDecision, SamplingResult, ShouldSample};

/// A sampler, as `OTEL_TRACES_SAMPLER` and its argument name it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampling {
    parent_based: bool,
    root: RootSampler,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum RootSampler {
    AlwaysOn,
    AlwaysOff,
    TraceIdRatio(f64),
}

impl Sampling {
    /// Reads a sampler's name, in any case; `ratio` is its argument, from 0 to 1.
    ///
    /// # Errors
    /// The name is unknown; a sentence with the value and the six names.
    pub fn parse(name: &str, ratio: f64) -> Result<Sampling, String> {
        let lower = name.to_ascii_lowercase();
        let (parent_based, rest) = match lower.strip_prefix("parentbased_") {
            Some(rest) => (true, rest),
            None => (false, &lower[..]),
        };
        let root = match rest {
            "always_on" => RootSampler::AlwaysOn,
            "always_off" => RootSampler::AlwaysOff,
            "traceidratio" => RootSampler::TraceIdRatio(ratio),
            _ => {
                return Err(format!(
                    "'{name}' is not one of always_on, always_off, traceidratio, \
                     parentbased_always_on, parentbased_always_off, parentbased_traceidratio"
                ));
            }
        };
        Ok(Sampling { parent_based, root })
    }

    /// The sampler for the SDK.
    pub fn sampler(self) -> ReportingSampler {
        ReportingSampler {
            sampler: self.sdk_sampler(),
            parent_based: self.parent_based,
        }
    }

    fn sdk_sampler(self) -> Sampler {
        let root = match self.root {
            RootSampler::AlwaysOn => Sampler::AlwaysOn,
            RootSampler::AlwaysOff => Sampler::AlwaysOff,
            RootSampler::TraceIdRatio(ratio) => Sampler::TraceIdRatioBased(ratio),
        };
        if self.parent_based {
            Sampler::ParentBased(Box::new(root))
        } else {
            root
        }
    }
}

/// In the context of a new span: what the sampler has to know besides the parent.
#[derive(Debug, Clone, Copy, Default)]
pub struct SamplingHint {
    /// The span is recorded even if it is not sampled, because a report lists it. The span processor ignores it then.
    pub is_reported: bool,
    /// What the caller says.
    pub decision: Option<CallersDecision>,
}

/// What a caller says about sampling, where that is not the flag of a parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallersDecision {
    /// There is a parent, but the decision is left to this service.
    Deferred,
    /// There is no parent, but a decision: whether the trace is sampled.
    WithoutParent(bool),
}

/// One of the six samplers. What it drops is recorded if [`SamplingHint`] says so.
#[derive(Debug, Clone)]
pub struct ReportingSampler {
    sampler: Sampler,
    parent_based: bool,
}

impl ShouldSample for ReportingSampler {
    fn should_sample(
        &self,
        parent_context: Option<&Context>,
        trace_id: TraceId,
        name: &str,
        span_kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        let hint = parent_context.and_then(|context| context.get::<SamplingHint>());
        let SamplingHint {
            is_reported,
            decision: said,
        } = hint.copied().unwrap_or_default();
        let parent = match said {
            Some(CallersDecision::Deferred) => None,
            _ => parent_context,
        };
        let sampler = match said {
            Some(CallersDecision::WithoutParent(true)) if self.parent_based => &Sampler::AlwaysOn,
            Some(CallersDecision::WithoutParent(false)) if self.parent_based => &Sampler::AlwaysOff,
            _ => &self.sampler,
        };
        let mut result =
            sampler.should_sample(parent, trace_id, name, span_kind, attributes, links);
        if result.decision == SamplingDecision::Drop && is_reported {
            result.decision = SamplingDecision::RecordOnly;
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceState};

    use super::*;

    #[test]
    fn knows_the_six_names() {
        let table = [
            ("always_on", "AlwaysOn"),
            ("Always_ON", "AlwaysOn"),
            ("always_off", "AlwaysOff"),
            ("traceidratio", "TraceIdRatioBased(0.25)"),
            ("parentbased_always_on", "ParentBased(AlwaysOn)"),
            ("parentbased_always_off", "ParentBased(AlwaysOff)"),
            (
                "parentbased_traceidratio",
                "ParentBased(TraceIdRatioBased(0.25))",
            ),
        ];
        for (name, sampler) in table {
            assert_eq!(
                format!("{:?}", Sampling::parse(name, 0.25).unwrap().sdk_sampler()),
                sampler
            );
        }
        assert!(Sampling::parse("parentbased_", 1.0).is_err());
    }

    #[test]
    fn follows_a_caller_that_names_no_parent_or_no_decision() {
        use CallersDecision::{Deferred, WithoutParent};
        use SamplingDecision::{Drop, RecordAndSample};
        let table = [
            (
                "parentbased_always_on",
                WithoutParent(false),
                Drop,
                "denied",
            ),
            (
                "parentbased_always_off",
                WithoutParent(true),
                RecordAndSample,
                "accepted",
            ),
            (
                "always_on",
                WithoutParent(false),
                RecordAndSample,
                "callers don't matter",
            ),
            (
                "always_off",
                WithoutParent(true),
                Drop,
                "callers don't matter",
            ),
            (
                "parentbased_always_on",
                Deferred,
                RecordAndSample,
                "the root's sampler decides",
            ),
            (
                "parentbased_always_off",
                Deferred,
                Drop,
                "the root's sampler decides",
            ),
        ];
        for (name, said, expected, reason) in table {
            let (trace, kind) = (TraceId::from_bytes([1; 16]), SpanKind::Server);
            let mut context = Context::new().with_value(SamplingHint {
                is_reported: false,
                decision: Some(said),
            });
            if said == Deferred {
                // With the flag alone the trace would be denied.
                let (span, flags) = (SpanId::from_bytes([1; 8]), TraceFlags::default());
                let parent = SpanContext::new(trace, span, flags, true, TraceState::NONE);
                context = context.with_remote_span_context(parent);
            }
            let sampler = Sampling::parse(name, 1.0).unwrap().sampler();
            let result = sampler.should_sample(Some(&context), trace, "POST", &kind, &[], &[]);
            assert_eq!(result.decision, expected, "{name}: {reason}");
        }
    }

    #[test]
    fn records_what_a_report_lists_and_samples_no_more_for_it() {
        use SamplingDecision::{Drop, RecordAndSample, RecordOnly};
        let table = [
            ("always_on", false, RecordAndSample),
            ("always_on", true, RecordAndSample),
            ("always_off", false, Drop),
            ("always_off", true, RecordOnly),
            ("parentbased_always_off", true, RecordOnly),
        ];
        for (name, is_reported, expected) in table {
            let mut context = Context::new();
            if is_reported {
                context = context.with_value(SamplingHint {
                    is_reported: true,
                    decision: None,
                });
            }
            let sampler = Sampling::parse(name, 1.0).unwrap().sampler();
            let (trace, kind) = (TraceId::from_bytes([1; 16]), SpanKind::Server);
            let result = sampler.should_sample(Some(&context), trace, "POST", &kind, &[], &[]);
            assert_eq!(result.decision, expected, "{name}, reported: {is_reported}");
        }
    }
}
