//! The services of the application, with the settings that they will read: malformed ones, and destinations that they
//! may not call.

use anyhow::Result;
use tracing_tail::settings::{APP_NAME, Config, OTLP_DEFAULT_ENDPOINT, Problems, SETTINGS, Values};
use tracing_tail::target::Target;
use tracing_tail_host::allowed_hosts::AllowedHosts;
use tracing_tail_host::manifest::Manifest;
use tracing_tail_host::outbound::CHAINING_SUFFIX;
use tracing_tail_host::variables::Variables;

use super::Finding;

/// A service component.
pub(super) struct Service {
    id: String,
    pub(super) config: Config,
    problems: Problems,
    allowed: AllowedHosts,
}

impl Service {
    /// The components that have the service's settings.
    pub(super) fn all(manifest: &Manifest, variables: &Variables) -> Result<Vec<Service>> {
        let mut services = Vec::new();
        for component in &manifest.components {
            let given = variables.of_component(component)?;
            if !given.contains_key(&APP_NAME.variable()) {
                continue;
            }
            let mut values = Values::default();
            for setting in SETTINGS.into_iter().chain([OTLP_DEFAULT_ENDPOINT]) {
                values.set(setting, Ok(given.get(&setting.variable()).cloned()));
            }
            let (config, problems) = Config::read(&values);
            services.push(Service {
                id: component.id.clone(),
                config,
                problems,
                allowed: variables.allowed_hosts(component)?,
            });
        }
        Ok(services)
    }

    /// Malformed settings, and destinations that are not allowed.
    pub(super) fn findings(&self) -> Vec<Finding> {
        let id = &self.id;
        let refused = self.problems.refused.iter().map(|problem| {
            Finding::problem(
                "setting",
                format!("{id} answers every request with 500: {problem}"),
            )
        });
        let ignored = self.problems.ignored.iter();
        let ignored =
            ignored.map(|problem| Finding::warning("setting", format!("{id}: {problem}")));
        let downstreams = self.config.downstreams.iter();
        let targets = downstreams.map(|downstream| (downstream.target(), "calls"));
        let exports = self.config.otlp_endpoint.iter();
        let targets = targets.chain(exports.map(|target| (target, "sends spans to")));
        let denied = targets.filter_map(|(target, does)| {
            let (url, why) = (target.redacted(), self.denied(target)?);
            Some(Finding::problem(
                "destination",
                format!("{id} {does} {url}: {why}"),
            ))
        });
        refused.chain(ignored).chain(denied).collect()
    }

    /// Why a destination outside of the application is not allowed.
    fn denied(&self, target: &Target) -> Option<String> {
        let host = target.url().host().unwrap_or_default();
        let inside = host.ends_with(CHAINING_SUFFIX);
        (!inside && !self.allowed.allow(target.url())).then(|| target.not_allowed())
    }
}
