//! The service's settings. The input: `NAME=value` on each line.
//!
//! Each message names a setting of the input; a refused one has its default, and nothing else changes; no
//! value of an export header is ever shown.

use std::collections::BTreeMap;

use tracing_tail::settings::{
    Config, OTEL_EXPORTER_OTLP_HEADERS, OTLP_ENDPOINT, SETTINGS, Setting, Values,
};

use crate::memory::Bound;
use crate::seam::read_settings;
use crate::secret::{SECRET, assert_hidden};
use crate::{Target, lines};

/// See the module.
pub const TARGET: Target = Target {
    name: "settings",
    property,
    memory: Bound {
        constant: 64 << 10,
        per_byte: 512,
    },
};

type Given = BTreeMap<&'static str, String>;

fn property(input: &[u8]) {
    let given: Given = lines(input).filter_map(setting).collect();
    let (config, problems) = read(&given);
    let mut others = given.clone();
    for problem in &problems {
        let env = problem.split(':').next().unwrap_or_default();
        assert!(
            given.contains_key(env),
            "nobody gave what is refused: {problem}"
        );
        others.remove(env);
    }
    has_the_default_of_what_is_refused(&config, &given, &others);
    hides_the_values_of_headers(&given);
    assert!(config.batching.max_export_batch_size <= config.batching.max_queue_size);
}

fn setting(line: &[u8]) -> Option<(&'static str, String)> {
    let (name, value) = std::str::from_utf8(line).ok()?.split_once('=')?;
    let known = SETTINGS.iter().find(|setting| setting.env == name)?;
    Some((known.env, value.to_owned()))
}

fn read(given: &Given) -> (Config, Vec<String>) {
    let mut values = Values::default();
    for setting in SETTINGS {
        values.set(setting, Ok(given.get(setting.env).cloned()));
    }
    read_settings(&values)
}

fn has_the_default_of_what_is_refused(config: &Config, given: &Given, others: &Given) {
    let refused =
        |setting: Setting| given.len() > others.len() && !others.contains_key(setting.env);
    let (mut fallback, problems) = read(others);
    assert_eq!(
        problems,
        Vec::<String>::new(),
        "what was accepted is not any more"
    );
    if refused(OTLP_ENDPOINT) {
        fallback.otlp_endpoint.clone_from(&config.otlp_endpoint);
    }
    if refused(OTEL_EXPORTER_OTLP_HEADERS) {
        // Of several headers some may be refused.
        fallback.export.headers.clone_from(&config.export.headers);
    }
    assert_eq!(*config, fallback);
}

/// Puts the secret at the beginning of each value.
fn hides_the_values_of_headers(given: &Given) {
    let Some(headers) = given.get(OTEL_EXPORTER_OTLP_HEADERS.env) else {
        return;
    };
    let entries = headers.split(',').map(|entry| match entry.split_once('=') {
        Some((name, value)) => format!("{name}={SECRET}{value}"),
        None => entry.to_owned(),
    });
    let secret = entries.collect::<Vec<_>>().join(",");
    let mut given = given.clone();
    given.insert(OTEL_EXPORTER_OTLP_HEADERS.env, secret.clone());
    let (config, problems) = read(&given);
    assert_hidden(&problems.join("\n"), &secret);
    assert_hidden(&format!("{config:?}"), &secret);
}
