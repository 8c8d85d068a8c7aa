//! The values of settings, as the world gives them, and which of them a single request needs.

use http::HeaderMap;

use super::{
    APP_ALLOWED_HOST, APP_ERRORS, APP_FANOUT, APP_INCIDENTS, APP_LATENCY, APP_LATENCY_CAP,
    APP_NAME, APP_OVERRIDES, APP_RETRIES, APP_SEED, APP_TIMEOUT, APP_URL_DESTINO, APP_VIEWER_TOKEN,
    OTEL_BSP_MAX_EXPORT_BATCH_SIZE, OTEL_BSP_MAX_QUEUE_SIZE, OTEL_BSP_SCHEDULE_DELAY,
    OTEL_EXPORTER_OTLP_COMPRESSION, OTEL_EXPORTER_OTLP_HEADERS, OTEL_EXPORTER_OTLP_PROTOCOL,
    OTEL_EXPORTER_OTLP_TIMEOUT, OTEL_RESOURCE_ATTRIBUTES, OTEL_SDK_DISABLED, OTEL_TRACES_SAMPLER,
    OTEL_TRACES_SAMPLER_ARG, OTLP_ENDPOINT, SETTINGS, Setting,
};
use crate::host::World;
use crate::simulate::overrides;
use crate::telemetry::context;

/// What the world knows of one setting: its value if it is set, or why that can't be told.
pub type Value = Result<Option<String>, String>;

/// The settings that were read, with what became of them.
#[derive(Debug, Clone, Default)]
pub struct Values(Vec<(Setting, Value)>);

/// The host of the app's own viewer, which nobody else can have.
pub(super) const VIEWER: &str = "viewer.spin.internal";

/// The settings that decide which others are needed.
const DECISIVE: [Setting; 7] = [
    APP_NAME,
    APP_URL_DESTINO,
    APP_ERRORS,
    APP_LATENCY,
    APP_INCIDENTS,
    OTEL_SDK_DISABLED,
    OTEL_TRACES_SAMPLER,
];

impl Values {
    /// Reads every setting, so that each malformed one is named.
    pub async fn all<W: World>(world: &W) -> Values {
        let mut values = Values::default();
        for setting in SETTINGS {
            values.read(world, setting).await;
        }
        values
    }

    /// Reads what one request with these headers needs, since each reading has its price. A malformed
    /// value goes unnoticed where nobody needs it.
    pub async fn needed<W: World>(world: &W, headers: &HeaderMap) -> Values {
        let overridden = overrides::are_in(&context::baggage(headers));
        let mut values = Values::default();
        let others = SETTINGS
            .iter()
            .filter(|setting| !DECISIVE.contains(setting));
        for setting in DECISIVE.iter().chain(others) {
            if values.need(setting, overridden) {
                values.read(world, *setting).await;
            }
        }
        values
    }

    async fn read<W: World>(&mut self, world: &W, setting: Setting) {
        let value = world.variable(&setting.variable()).await;
        self.set(setting, value);
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

    /// Whether one request needs a setting, given the decisive ones; `overridden` where it may ask for
    /// faults.
    fn need(&self, setting: &Setting, overridden: bool) -> bool {
        let text = |setting: &Setting| self.get(setting).ok().flatten().unwrap_or_default();
        let simulates = |settings: &[Setting]| {
            let set = |setting: &&Setting| !["", "0"].contains(&text(setting).as_str());
            settings.iter().any(|setting| set(&setting))
        };
        let disabled = || text(&OTEL_SDK_DISABLED).eq_ignore_ascii_case("true");
        match *setting {
            APP_TIMEOUT | APP_RETRIES | APP_FANOUT => !text(&APP_URL_DESTINO).is_empty(),
            APP_OVERRIDES => overridden,
            APP_LATENCY_CAP => overridden || simulates(&[APP_LATENCY, APP_INCIDENTS]),
            // A call that is made for a share of the requests, or again, is drawn too.
            APP_SEED => {
                let drawn = [APP_LATENCY, APP_ERRORS, APP_INCIDENTS, APP_URL_DESTINO];
                overridden || simulates(&drawn)
            }
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
            // Nobody else is told it.
            APP_VIEWER_TOKEN => text(&OTLP_ENDPOINT).contains(VIEWER),
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

    use http::HeaderValue;

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
            "APP_INCIDENTS",
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
        let traced = [&export[..], &[sampler, attributes]].concat();
        let and = |more: &[&'static str]| [&traced, more].concat();
        let faults = ["APP_OVERRIDES", "APP_LATENCY_CAP", "APP_SEED"];
        type Variables = &'static [(&'static str, &'static str)];
        let table: [(Variables, &str, Vec<&str>); 10] = [
            (&[], "user=1", traced.clone()),
            (
                &[("otlp_endpoint", "http://viewer.spin.internal/v1/traces")],
                "",
                and(&["APP_VIEWER_TOKEN"]),
            ),
            (&[("app_errors", "20")], "", and(&["APP_SEED"])),
            (
                &[("app_latency", "20ms")],
                "",
                and(&["APP_SEED", "APP_LATENCY_CAP"]),
            ),
            (&[], "user=1, tail.seed=2", and(&faults)),
            (&[], "tai%6c.*.errors=1", and(&faults)),
            (
                &[("app_url_destino", "http://b")],
                "",
                and(&["APP_TIMEOUT", "APP_RETRIES", "APP_FANOUT", "APP_SEED"]),
            ),
            (
                &[("otel_traces_sampler", "traceidratio")],
                "",
                and(&[argument]),
            ),
            (
                &[("otel_traces_sampler", "always_off")],
                "",
                vec![sampler, attributes],
            ),
            (
                &[("otel_sdk_disabled", "true"), ("app_name", "me")],
                "",
                vec![],
            ),
        ];
        for (variables, baggage, more) in table {
            let world = Scripted::new(variables, |_| Err(SendError::Timeout));
            let mut headers = HeaderMap::new();
            headers.insert("baggage", HeaderValue::from_static(baggage));
            let Values(read) = block_on(Values::needed(&world, &headers));
            let read: BTreeSet<_> = read.iter().map(|(setting, _)| setting.env).collect();
            let expected = always.into_iter().chain(more).collect();
            assert_eq!(read, expected, "{variables:?} {baggage}");
        }
    }
}
