//! The values of settings, as the world gives them, and which of them a single request needs.

use futures::future::join_all;

use super::{
    APP_ALLOWED_HOST, APP_NAME, APP_RETRIES, APP_TIMEOUT, APP_URL_DESTINO,
    OTEL_BSP_MAX_EXPORT_BATCH_SIZE, OTEL_BSP_MAX_QUEUE_SIZE, OTEL_BSP_SCHEDULE_DELAY,
    OTEL_EXPORTER_OTLP_COMPRESSION, OTEL_EXPORTER_OTLP_HEADERS, OTEL_EXPORTER_OTLP_PROTOCOL,
    OTEL_EXPORTER_OTLP_TIMEOUT, OTEL_RESOURCE_ATTRIBUTES, OTEL_SDK_DISABLED, OTEL_TRACES_SAMPLER,
    OTEL_TRACES_SAMPLER_ARG, OTLP_ENDPOINT, SETTINGS, Setting,
};
use crate::host::World;

/// What the world knows of one setting: its value if it is set, or why that can't be told.
pub type Value = Result<Option<String>, String>;

/// The settings that were read, with what became of them.
#[derive(Debug, Clone, Default)]
pub struct Values(Vec<(Setting, Value)>);

/// The settings that decide which others are needed.
const DECISIVE: [Setting; 4] = [
    APP_NAME,
    APP_URL_DESTINO,
    OTEL_SDK_DISABLED,
    OTEL_TRACES_SAMPLER,
];

impl Values {
    /// Reads every setting, so that each malformed one is named.
    pub async fn all<W: World>(world: &W) -> Values {
        let read = SETTINGS.map(|setting| async move {
            let value = world.variable(&setting.variable()).await;
            (setting, value)
        });
        Values(join_all(read).await)
    }

    /// Reads what one request needs, since each reading has its price. A malformed value goes
    /// unnoticed where nobody needs it.
    pub async fn needed<W: World>(world: &W) -> Values {
        let mut values = Values::default();
        let others = SETTINGS
            .iter()
            .filter(|setting| !DECISIVE.contains(setting));
        for setting in DECISIVE.iter().chain(others) {
            if values.need(setting) {
                let value = world.variable(&setting.variable()).await;
                values.set(*setting, value);
            }
        }
        values
    }

    /// Adds what became of a setting.
    pub fn set(&mut self, setting: Setting, value: Value) {
        self.0.push((setting, value));
    }

    /// What became of a setting; unset where it was not read. An empty value counts as unset, as
    /// the OpenTelemetry specification has it.
    pub fn get(&self, setting: &Setting) -> Value {
        let read = self.0.iter().find(|(known, _)| known == setting);
        let Some((_, value)) = read else {
            return Ok(None);
        };
        let value = value.clone()?.map(|value| value.trim().to_owned());
        Ok(value.filter(|value| !value.is_empty()))
    }

    /// Whether one request needs a setting, given the decisive ones.
    fn need(&self, setting: &Setting) -> bool {
        let text = |setting: &Setting| self.get(setting).ok().flatten().unwrap_or_default();
        let disabled = || text(&OTEL_SDK_DISABLED).eq_ignore_ascii_case("true");
        match *setting {
            APP_TIMEOUT | APP_RETRIES => !text(&APP_URL_DESTINO).is_empty(),
            // It may hold the name.
            OTEL_RESOURCE_ATTRIBUTES => !disabled() || text(&APP_NAME).is_empty(),
            OTEL_TRACES_SAMPLER => !disabled(),
            OTEL_TRACES_SAMPLER_ARG => text(&OTEL_TRACES_SAMPLER).ends_with("traceidratio"),
            OTLP_ENDPOINT
            | OTEL_EXPORTER_OTLP_HEADERS
            | OTEL_EXPORTER_OTLP_PROTOCOL
            | OTEL_EXPORTER_OTLP_COMPRESSION
            | OTEL_EXPORTER_OTLP_TIMEOUT => {
                !disabled() && text(&OTEL_TRACES_SAMPLER) != "always_off"
            }
            // Only the manifest reads the first; the others are about company, and there is none.
            APP_ALLOWED_HOST
            | OTEL_BSP_SCHEDULE_DELAY
            | OTEL_BSP_MAX_QUEUE_SIZE
            | OTEL_BSP_MAX_EXPORT_BATCH_SIZE => false,
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use futures::executor::block_on;

    use super::*;
    use crate::host::SendError;
    use crate::host::scripted::Scripted;

    #[test]
    fn reads_what_one_request_needs() {
        let always = [
            "APP_NAME",
            "APP_URL_DESTINO",
            "APP_ERRORS",
            "APP_LATENCY",
            "OTEL_SDK_DISABLED",
        ];
        let export = [
            "OTLP_ENDPOINT",
            "OTEL_EXPORTER_OTLP_HEADERS",
            "OTEL_EXPORTER_OTLP_PROTOCOL",
            "OTEL_EXPORTER_OTLP_COMPRESSION",
            "OTEL_EXPORTER_OTLP_TIMEOUT",
        ];
        let (sampler, argument) = ("OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG");
        let attributes = "OTEL_RESOURCE_ATTRIBUTES";
        type Variables = &'static [(&'static str, &'static str)];
        let table: [(Variables, Vec<&str>); 5] = [
            (&[], [&export[..], &[sampler, attributes]].concat()),
            (
                &[("app_url_destino", "http://b")],
                [
                    &export[..],
                    &[sampler, attributes, "APP_TIMEOUT", "APP_RETRIES"],
                ]
                .concat(),
            ),
            (
                &[("otel_traces_sampler", "traceidratio")],
                [&export[..], &[sampler, attributes, argument]].concat(),
            ),
            (
                &[("otel_traces_sampler", "always_off")],
                vec![sampler, attributes],
            ),
            (&[("otel_sdk_disabled", "true"), ("app_name", "me")], vec![]),
        ];
        for (variables, more) in table {
            let world = Scripted::new(variables, |_| Err(SendError::Timeout));
            let Values(read) = block_on(Values::needed(&world));
            let read: BTreeSet<_> = read.iter().map(|(setting, _)| setting.env).collect();
            assert_eq!(
                read,
                always.into_iter().chain(more).collect(),
                "{variables:?}"
            );
        }
    }
}
