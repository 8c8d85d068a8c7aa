//! The values of the settings, and which of them an instance reads.
//!
//! Each reading of a variable takes time, and an instance that serves one request does not need them all.

use http::HeaderMap;
use http::header::CONTENT_TYPE;

use super::endpoint::PRECEDENCE;
use super::{
    APP_ALLOWED_HOST, APP_ERRORS, APP_INCIDENTS, APP_LATENCY, APP_MAX_SPANS, APP_NAME, APP_SEED,
    APP_TELEMETRY_FAULTS, APP_URL_DESTINO, APP_USES, APP_VIEWER_TOKEN, APP_WORK, Host,
    OTEL_BSP_MAX_EXPORT_BATCH_SIZE, OTEL_BSP_MAX_QUEUE_SIZE, OTEL_BSP_SCHEDULE_DELAY,
    OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS, OTEL_RESOURCE_ATTRIBUTES, OTEL_SDK_DISABLED,
    OTEL_SERVICE_NAME, OTEL_TRACES_SAMPLER, OTEL_TRACES_SAMPLER_ARG, OTLP_DEFAULT_ENDPOINT,
    OTLP_ENDPOINT, SETTINGS, Setting,
};
use crate::messaging::delivery;
use crate::simulate::overrides;
use crate::telemetry::propagation::{baggage, may_have_header_baggage};
use crate::wasi::Runtime;

/// The value of one setting, if it is set, or why it could not be read.
pub type Value = Result<Option<String>, String>;

/// The settings that were read, with their values.
#[derive(Debug, Clone, Default)]
pub struct Values {
    host: Host,
    read: Vec<(Setting, Value)>,
}

/// The host of the app's own viewer, or the end of it: see [`is_viewer`].
const VIEWER_HOST: &str = "viewer.spin.internal";

/// Whether a host is the app's own viewer: `viewer.spin.internal`, or `tracing-tail-viewer.spin.internal` beside services
/// of any name, as in a topology.
pub(super) fn is_viewer(host: &str) -> bool {
    host.strip_prefix("tracing-tail-").unwrap_or(host) == VIEWER_HOST
}

/// The settings that determine which others are needed.
const READ_FIRST: [Setting; 12] = [
    APP_NAME,
    APP_URL_DESTINO,
    APP_ERRORS,
    APP_LATENCY,
    APP_INCIDENTS,
    APP_USES,
    APP_WORK,
    APP_TELEMETRY_FAULTS,
    OTEL_SDK_DISABLED,
    OTEL_TRACES_SAMPLER,
    OTLP_ENDPOINT,
    OTLP_DEFAULT_ENDPOINT,
];

/// What an instance serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Serves {
    ManyRequests,
    OneRequest {
        /// Whether its baggage may hold overrides.
        overridden: bool,
    },
}

impl Values {
    /// Reads what an instance needs that serves many requests.
    pub async fn for_instance<R: Runtime>(runtime: &R) -> Values {
        Values::read(runtime, Serves::ManyRequests).await
    }

    /// Reads what one request with these headers needs. Settings that make every request fail if they are
    /// malformed are always read.
    pub async fn for_request<R: Runtime>(runtime: &R, headers: &HeaderMap) -> Values {
        // The baggage of messages is in the body.
        let is_delivery = headers
            .get(CONTENT_TYPE)
            .is_some_and(|content| content == delivery::MEDIA_TYPE);
        let overridden = is_delivery
            || overrides::contains_overrides(&baggage::read(headers))
            || may_have_header_baggage(headers);
        Values::read(runtime, Serves::OneRequest { overridden }).await
    }

    /// Reads variables. Where the manifest maps none to a setting, a host may have set it in the environment.
    async fn read<R: Runtime>(runtime: &R, serves: Serves) -> Values {
        let mut values = Values::of(R::HOST);
        let others = SETTINGS
            .iter()
            .filter(|setting| !READ_FIRST.contains(setting));
        for setting in READ_FIRST.iter().chain(others) {
            if values.needs(setting, serves) {
                let value = match runtime.variable(&setting.variable()).await {
                    Ok(None) => Ok(runtime.environment(setting.env)),
                    mapped => mapped,
                };
                values.set(*setting, value);
            }
        }
        values
    }

    /// No values, on this kind of host.
    pub fn of(host: Host) -> Values {
        Values {
            host,
            read: Vec::new(),
        }
    }

    /// The kind of host that they are for.
    pub fn host(&self) -> Host {
        self.host
    }

    /// Adds the value of a setting.
    pub fn set(&mut self, setting: Setting, value: Value) {
        self.read.push((setting, value));
    }

    /// The value of a setting; `None` if it was not read. An empty value counts as unset, as in the
    /// OpenTelemetry specification.
    pub fn get(&self, setting: &Setting) -> Value {
        let read = self.read.iter().find(|(known, _)| known.env == setting.env);
        let Some((_, value)) = read else {
            return Ok(None);
        };
        let value = value.clone()?.map(|value| value.trim().to_owned());
        Ok(value.filter(|value| !value.is_empty()))
    }

    /// Whether a setting is needed, given those that were read first.
    fn needs(&self, setting: &Setting, serves: Serves) -> bool {
        let text = |setting: &Setting| self.get(setting).ok().flatten().unwrap_or_default();
        let simulates = |settings: &[Setting]| {
            let set = |setting: &&Setting| !["", "0"].contains(&text(setting).as_str());
            settings.iter().any(|setting| set(&setting))
        };
        let disabled = || text(&OTEL_SDK_DISABLED).eq_ignore_ascii_case("true");
        let sampler = || text(&OTEL_TRACES_SAMPLER).to_ascii_lowercase();
        let exports = || !disabled() && sampler() != "always_off";
        match *setting {
            // Every text is valid, so it may be skipped if nothing is random. Calls may be random too: their
            // selection, and the waits before retries.
            APP_SEED => {
                let drawn = [
                    APP_LATENCY,
                    APP_ERRORS,
                    APP_INCIDENTS,
                    APP_URL_DESTINO,
                    APP_USES,
                    APP_WORK,
                    APP_TELEMETRY_FAULTS,
                ];
                serves != Serves::OneRequest { overridden: false } || simulates(&drawn)
            }
            APP_MAX_SPANS => simulates(&[APP_USES, APP_WORK]),
            // It may hold the service's name.
            OTEL_RESOURCE_ATTRIBUTES => !disabled() || text(&APP_NAME).is_empty(),
            OTEL_SERVICE_NAME => text(&APP_NAME).is_empty(),
            OTEL_TRACES_SAMPLER => !disabled(),
            OTEL_TRACES_SAMPLER_ARG => sampler().ends_with("traceidratio"),
            OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS => exports(),
            // A single request exports without a delay; the defaults suffice for its queue and batches.
            OTEL_BSP_SCHEDULE_DELAY | OTEL_BSP_MAX_QUEUE_SIZE | OTEL_BSP_MAX_EXPORT_BATCH_SIZE => {
                serves == Serves::ManyRequests && exports()
            }
            // OTLP_ENDPOINT itself is read before the others.
            Setting { env, .. } if env.ends_with("_ENDPOINT") => text(&OTLP_ENDPOINT).is_empty(),
            Setting { env, .. } if env.starts_with("OTEL_EXPORTER_") => exports(),
            // The token is for the viewer only.
            APP_VIEWER_TOKEN => PRECEDENCE
                .iter()
                .any(|setting| text(setting).contains(VIEWER_HOST)),
            // Only the manifest reads it.
            APP_ALLOWED_HOST => false,
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
    use crate::wasi::SendError;
    use crate::wasi::fake::FakeRuntime;

    #[test]
    fn reads_what_one_request_needs() {
        let always = [
            "APP_NAME",
            "APP_URL_DESTINO",
            "APP_ERRORS",
            "APP_LATENCY",
            "APP_LATENCY_CAP",
            "APP_INCIDENTS",
            "APP_USES",
            "APP_WORK",
            "APP_MAX_SPAN_BYTES",
            "APP_TELEMETRY_FAULTS",
            "APP_OVERRIDES",
            "APP_FANOUT",
            "APP_MAX_HOPS",
            "APP_TRUST_PROXY",
            "APP_TIMEOUT",
            "APP_RETRIES",
            "OTLP_ENDPOINT",
            "OTEL_PROPAGATORS",
            "OTEL_SDK_DISABLED",
        ];
        let endpoints = [
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
            "OTLP_DEFAULT_ENDPOINT",
        ];
        let export = [
            "OTEL_EXPORTER_OTLP_HEADERS",
            "OTEL_EXPORTER_OTLP_PROTOCOL",
            "OTEL_EXPORTER_OTLP_COMPRESSION",
            "OTEL_EXPORTER_OTLP_TIMEOUT",
            "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
            "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
            "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION",
            "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT",
            "OTEL_EXPORTER_OTLP_CERTIFICATE",
            "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE",
            "OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS",
        ];
        let (sampler, argument) = ("OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG");
        let attributes = "OTEL_RESOURCE_ATTRIBUTES";
        let untraced = [&endpoints[..], &["OTEL_SERVICE_NAME", sampler, attributes]].concat();
        let traced = [&export[..], &untraced].concat();
        let and = |more: &[&'static str]| [&traced, more].concat();
        let without = |names: &[&str]| {
            let kept = traced.iter().filter(|name| !names.contains(name));
            kept.copied().collect::<Vec<_>>()
        };
        let seed = and(&["APP_SEED"]);
        type Variables = &'static [(&'static str, &'static str)];
        let table: [(Variables, &str, Vec<&str>); 13] = [
            (&[], "user=1", traced.clone()),
            (
                &[("otlp_endpoint", "http://viewer.spin.internal/v1/traces")],
                "",
                [without(&endpoints), vec!["APP_VIEWER_TOKEN"]].concat(),
            ),
            (
                &[(
                    "otlp_default_endpoint",
                    "http://viewer.spin.internal/v1/traces",
                )],
                "",
                and(&["APP_VIEWER_TOKEN"]),
            ),
            (&[("app_errors", "20")], "", seed.clone()),
            (&[("app_latency", "20ms")], "", seed.clone()),
            (
                &[("app_telemetry_faults", "span=lost;p=5")],
                "",
                seed.clone(),
            ),
            (&[], "user=1, tail.seed=2", seed.clone()),
            (&[], "tai%6c.*.errors=1", seed.clone()),
            (&[("app_url_destino", "http://b")], "", seed.clone()),
            (
                &[("app_uses", "db;system=redis")],
                "",
                and(&["APP_SEED", "APP_MAX_SPANS"]),
            ),
            (
                &[("otel_traces_sampler", "TraceIdRatio")],
                "",
                and(&[argument]),
            ),
            (
                &[("otel_traces_sampler", "ALWAYS_OFF")],
                "",
                untraced.clone(),
            ),
            (
                &[("otel_sdk_disabled", "True"), ("app_name", "me")],
                "",
                endpoints.to_vec(),
            ),
        ];
        for (variables, baggage, more) in table {
            let runtime = FakeRuntime::new(variables, |_| Err(SendError::Timeout));
            let mut headers = HeaderMap::new();
            headers.insert("baggage", HeaderValue::from_static(baggage));
            let Values { read, .. } = block_on(Values::for_request(&runtime, &headers));
            let read: BTreeSet<_> = read.iter().map(|(setting, _)| setting.env).collect();
            let expected = always.into_iter().chain(more).collect();
            assert_eq!(read, expected, "{variables:?} {baggage}");
        }
    }

    #[test]
    fn the_environment_is_read_where_a_variable_is_not_mapped() {
        let variables = [("app_errors", "5"), ("app_latency", "")];
        let environment = [
            ("APP_NAME", "named"),
            ("APP_ERRORS", "9"),
            ("APP_LATENCY", "9"),
            ("app_seed", "lower case"),
        ];
        let runtime = FakeRuntime::new(&variables, |_| Err(SendError::Timeout));
        let runtime = runtime.with_environment(&environment);
        for values in [
            block_on(Values::for_instance(&runtime)),
            block_on(Values::for_request(&runtime, &HeaderMap::new())),
        ] {
            let table = [
                (APP_NAME, Some("named"), "not mapped"),
                (APP_ERRORS, Some("5"), "mapped"),
                (APP_LATENCY, None, "mapped, and empty"),
                (APP_SEED, None, "another name"),
                (APP_USES, None, "neither"),
            ];
            for (setting, expected, reason) in table {
                let value = values.get(&setting).unwrap();
                assert_eq!(value.as_deref(), expected, "{reason}");
            }
        }
    }

    /// Malformed settings are found under WASI 0.2 and 0.3 alike.
    #[test]
    fn an_instance_of_many_requests_also_reads_the_seed_and_the_batch_settings() {
        let table = [
            ("", vec!["APP_SEED", "OTEL_BSP_SCHEDULE_DELAY"]),
            ("always_off", vec!["APP_SEED"]),
        ];
        for (sampler, more) in table {
            let runtime = FakeRuntime::new(&[("otel_traces_sampler", sampler)], |_| {
                Err(SendError::Timeout)
            });
            let names = |Values { read, .. }: Values| -> BTreeSet<_> {
                read.iter().map(|(setting, _)| setting.env).collect()
            };
            let one = names(block_on(Values::for_request(&runtime, &HeaderMap::new())));
            let many = names(block_on(Values::for_instance(&runtime)));
            let besides: Vec<_> = many
                .difference(&one)
                .filter(|name| !name.starts_with("OTEL_BSP_MAX"))
                .copied()
                .collect();
            assert_eq!(besides, more, "{sampler}");
            assert!(one.is_subset(&many));
        }
    }
}
