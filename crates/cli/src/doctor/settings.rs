//! Environment variables: which set a variable of the application, and which nobody reads.

use std::collections::BTreeSet;
use std::env;

use tracing_tail::settings::{OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT};
use tracing_tail_host::manifest::Manifest;
use tracing_tail_host::variables::{Provider, Variables};

use super::Finding;

pub(super) fn findings(
    manifest: &Manifest,
    variables: &Variables,
    providers: &[Provider],
) -> Vec<Finding> {
    let names = env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned());
    of_environment(manifest, variables, providers, &names.collect())
}

/// Findings about the environment variables of these names.
fn of_environment(
    manifest: &Manifest,
    variables: &Variables,
    providers: &[Provider],
    environment: &BTreeSet<String>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut read = BTreeSet::new();
    for (name, _) in &manifest.variables {
        let name = &name.value;
        let keys = providers.iter().filter_map(|provider| provider.key(name));
        let set: Vec<_> = keys.filter(|key| environment.contains(key)).collect();
        let Some(key) = set.first() else { continue };
        let value = shown(variables.display(name));
        let components = mapping(manifest, name);
        findings.push(match components.is_empty() {
            false => Finding::fine("setting", format!("{key}={value} is for {components}")),
            true => Finding::warning(
                "setting",
                format!("{key} is set, but no component reads it"),
            ),
        });
        for other in &set[1..] {
            let text = format!("{other} is set, but {key} comes before it");
            findings.push(Finding::warning("setting", text));
        }
        read.extend(set);
    }
    for setting in [
        OTEL_EXPORTER_OTLP_ENDPOINT,
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT,
    ] {
        if environment.contains(setting.env) {
            let text = format!(
                "{} turns on the telemetry of Spin itself too, which replaces contexts; with OTLP_ENDPOINT it stays off",
                setting.env
            );
            findings.push(Finding::warning("setting", text));
        }
    }
    let others = environment.iter().filter(|name| !read.contains(*name));
    for name in others.filter(|name| name.starts_with("OTEL_") || name.starts_with("OTLP_")) {
        findings.push(Finding::warning(
            "setting",
            format!("{name} is set, but nobody reads it"),
        ));
    }
    findings
}

/// A value, unless it may hold a password, as URLs do.
fn shown(value: &str) -> String {
    match value.contains('@') {
        true => "(not shown, since it may hold a password)".to_owned(),
        false => format!("'{value}'"),
    }
}

/// The components that have a variable of the application in one of theirs, or in an allowed host.
fn mapping(manifest: &Manifest, name: &str) -> String {
    let components = manifest.components.iter().filter(|component| {
        let own = component.variables.iter().map(|(_, template)| template);
        let hosts = component.allowed_outbound_hosts.iter();
        own.chain(hosts.map(|host| &host.value))
            .any(|template| template.variables().any(|used| used == name))
    });
    let ids: Vec<_> = components.map(|component| component.id.as_str()).collect();
    ids.join(", ")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use tracing_tail_host::document::Document;
    use tracing_tail_host::variables::Values;

    use super::*;

    const MANIFEST: &str = r#"
spin_manifest_version = 2
[application]
name = "demo"
[variables]
errors = { default = "0" }
token = { default = "", secret = true }
unused = { default = "" }
[[trigger.http]]
route = "/..."
component = "front"
[component.front]
source = "front.wasm"
[component.front.variables]
app_errors = "{{ errors }}"
app_token = "{{ token }}"
"#;

    #[test]
    fn says_which_variables_are_read_and_which_are_not() {
        let manifest =
            Manifest::parse(Document::new("spin.toml", MANIFEST), Path::new("")).unwrap();
        let env = |prefix: &str| Provider::Env {
            prefix: prefix.to_owned(),
            // Stands for the environment, which tests don't change.
            dotenv: Values::from([("APP_TOKEN".to_owned(), "hunter2".to_owned())]),
        };
        let providers = [env("APP"), env("OTEL")];
        let variables = Variables::resolve(&manifest, &providers).unwrap();
        let names = [
            "APP_ERRORS",
            "OTEL_ERRORS",
            "APP_TOKEN",
            "APP_UNUSED",
            "OTEL_LOGS_EXPORTER",
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "PATH",
        ];
        let names = names.map(str::to_owned).into();
        let findings = of_environment(&manifest, &variables, &providers, &names);
        let texts: Vec<_> = findings
            .iter()
            .map(|finding| finding.text.as_str())
            .collect();
        assert_eq!(
            texts,
            [
                "APP_ERRORS='0' is for front",
                "OTEL_ERRORS is set, but APP_ERRORS comes before it",
                "APP_TOKEN='(secret)' is for front",
                "APP_UNUSED is set, but no component reads it",
                "OTEL_EXPORTER_OTLP_ENDPOINT turns on the telemetry of Spin itself too, which replaces contexts; with \
                 OTLP_ENDPOINT it stays off",
                "OTEL_EXPORTER_OTLP_ENDPOINT is set, but nobody reads it",
                "OTEL_LOGS_EXPORTER is set, but nobody reads it",
            ]
        );
    }
}
