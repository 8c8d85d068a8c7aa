//! Settings that ask for OTLP/gRPC, by which the services of an app send nothing.

use std::collections::BTreeSet;

use tracing_tail::settings::{
    OTEL_EXPORTER_OTLP_PROTOCOL, OTEL_EXPORTER_OTLP_TRACES_PROTOCOL, OTLP_ENDPOINT, Setting,
    WARNING,
};
use tracing_tail_host::manifest::Manifest;
use tracing_tail_host::variables::Variables;

const SETTINGS: [Setting; 2] = [
    OTEL_EXPORTER_OTLP_PROTOCOL,
    OTEL_EXPORTER_OTLP_TRACES_PROTOCOL,
];

/// One line about them, if a component has one that says `grpc`.
pub(super) fn warning(manifest: &Manifest, variables: &Variables) -> Option<String> {
    let components = manifest.components.iter();
    let values = components.flat_map(|component| {
        SETTINGS.map(|setting| {
            let value = variables.display_value(component, &setting.variable());
            (setting.env, value.unwrap_or_default())
        })
    });
    warning_about(values)
}

/// `values` are settings with their values.
fn warning_about(values: impl Iterator<Item = (&'static str, String)>) -> Option<String> {
    let settings: BTreeSet<&str> = values
        .filter(|(_, value)| is_grpc(value))
        .map(|(setting, _)| setting)
        .collect();
    if settings.is_empty() {
        return None;
    }
    let settings: Vec<_> = settings.into_iter().collect();
    Some(format!(
        "{WARNING}grpc in {} is ignored: the app's services send OTLP/HTTP, as http/protobuf or http/json; {} has to name \
         a receiver of it, such as http://localhost:4318/v1/traces",
        settings.join(" and "),
        OTLP_ENDPOINT.env
    ))
}

/// Whether a line of a service says the same about its own setting.
pub(super) fn is_about_grpc(line: &str) -> bool {
    let value = |setting: Setting| {
        let line = line.strip_prefix(WARNING)?.strip_prefix(setting.env)?;
        line.strip_prefix(": '")?.split('\'').next()
    };
    SETTINGS.into_iter().filter_map(value).any(is_grpc)
}

fn is_grpc(value: &str) -> bool {
    value.trim().eq_ignore_ascii_case("grpc")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "test code")]
mod tests {
    use super::*;

    #[test]
    fn warns_in_one_line_of_all_settings() {
        let warning = |values: &[(Setting, &str)]| {
            let values = values.iter();
            warning_about(values.map(|(setting, value)| (setting.env, (*value).to_owned())))
        };
        let [all, traces] = SETTINGS;
        assert_eq!(warning(&[(all, "http/json"), (traces, "")]), None);
        let line = warning(&[(all, "grpc"), (traces, " GRPC"), (all, "grpc")]).unwrap();
        let names = format!("warning: grpc in {} and {} is ignored", all.env, traces.env);
        assert!(line.starts_with(&names), "{line}");
        assert!(line.contains("http/protobuf or http/json"), "{line}");
        let line = warning(&[(all, ""), (traces, "grpc")]).unwrap();
        assert!(
            line.contains(&format!("grpc in {} is", traces.env)),
            "{line}"
        );
    }

    #[test]
    fn recognises_what_a_service_says_about_it() {
        let says = |setting: Setting, value: &str| {
            let (env, accepted) = (setting.env, "http/protobuf, http/json");
            format!("warning: {env}: '{value}' is not one of {accepted}; the default holds")
        };
        let [all, traces] = SETTINGS;
        let table = [
            (says(all, "grpc"), true),
            (says(all, "GRPC"), true),
            (says(traces, "grpc"), true),
            (says(all, "http/xml"), false),
            (says(OTLP_ENDPOINT, "grpc"), false),
            ("grpc".to_owned(), false),
        ];
        for (line, expected) in table {
            assert_eq!(is_about_grpc(&line), expected, "{line}");
        }
    }
}
