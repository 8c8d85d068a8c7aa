//! Settings that ask for OTLP/gRPC, by which the services of an app send nothing.

use std::collections::BTreeSet;

use tracing_tail::settings::{OTEL_EXPORTER_OTLP_PROTOCOL, OTLP_ENDPOINT, WARNING};
use tracing_tail_host::manifest::Manifest;
use tracing_tail_host::variables::Variables;

/// OpenTelemetry's setting for traces alone, which the services don't have.
const TRACES_PROTOCOL: &str = "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL";

/// The names of the settings that say `grpc`: as variables of a component, or in `environment`.
pub(super) fn grpc_settings(
    manifest: &Manifest,
    variables: &Variables,
    environment: impl Iterator<Item = (String, String)>,
) -> BTreeSet<&'static str> {
    let protocol = OTEL_EXPORTER_OTLP_PROTOCOL;
    let components = manifest.components.iter();
    let mut values =
        components.filter_map(|component| variables.display_value(component, &protocol.variable()));
    let in_a_component = values.any(|value| is_grpc(&value));
    let in_the_environment = environment.filter_map(|(name, value)| {
        let names = [protocol.env, TRACES_PROTOCOL].into_iter();
        let named = names.into_iter().find(|known| name == *known);
        named.filter(|_| is_grpc(&value))
    });
    let in_a_component = in_a_component.then_some(protocol.env);
    in_the_environment.chain(in_a_component).collect()
}

/// One line about them.
pub(super) fn warning(settings: &BTreeSet<&'static str>) -> Option<String> {
    let first = settings.first()?;
    let others = settings.iter().skip(1);
    let names = others.fold((*first).to_owned(), |names, one| {
        format!("{names} and {one}")
    });
    Some(format!(
        "{WARNING}grpc in {names} is ignored: the app's services send OTLP/HTTP, as http/protobuf or http/json; {} has \
         to name a receiver of it, such as http://localhost:4318/v1/traces",
        OTLP_ENDPOINT.env
    ))
}

/// Whether a line of a service says the same about its own setting.
pub(super) fn is_about_grpc(line: &str) -> bool {
    let setting = line.strip_prefix(WARNING);
    let setting = setting.and_then(|line| line.strip_prefix(OTEL_EXPORTER_OTLP_PROTOCOL.env));
    let value = setting.and_then(|line| line.strip_prefix(": '"));
    value.is_some_and(|rest| rest.split('\'').next().is_some_and(is_grpc))
}

fn is_grpc(value: &str) -> bool {
    value.trim().eq_ignore_ascii_case("grpc")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warns_in_one_line_of_all_settings() {
        let protocol = OTEL_EXPORTER_OTLP_PROTOCOL.env;
        assert_eq!(warning(&BTreeSet::new()), None);
        let both = warning(&BTreeSet::from([TRACES_PROTOCOL, protocol])).unwrap_or_default();
        let names = format!("warning: grpc in {protocol} and {TRACES_PROTOCOL} is ignored");
        assert!(both.starts_with(&names), "{both}");
        assert!(both.contains("http/protobuf or http/json"), "{both}");
    }

    #[test]
    fn recognises_what_a_service_says_about_it() {
        let says = |setting: &str, value: &str| {
            format!(
                "warning: {setting}: '{value}' is not one of http/protobuf, http/json; the default holds"
            )
        };
        let protocol = OTEL_EXPORTER_OTLP_PROTOCOL.env;
        let table = [
            (says(protocol, "grpc"), true),
            (says(protocol, "GRPC"), true),
            (says(protocol, "http/xml"), false),
            (says("OTEL_EXPORTER_OTLP_COMPRESSION", "grpc"), false),
            ("grpc".to_owned(), false),
        ];
        for (line, expected) in table {
            assert_eq!(is_about_grpc(&line), expected, "{line}");
        }
    }
}
