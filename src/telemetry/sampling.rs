//! Which traces are recorded: the six samplers of the OpenTelemetry specification.
//!
//! Source: the SDK environment variables' section "General SDK Configuration".

use opentelemetry_sdk::trace::Sampler;

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

    /// The SDK's sampler.
    pub fn sampler(self) -> Sampler {
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

#[cfg(test)]
mod tests {
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
                format!("{:?}", Sampling::parse(name, 0.25).unwrap().sampler()),
                sampler
            );
        }
        assert!(Sampling::parse("parentbased_", 1.0).is_err());
    }
}
