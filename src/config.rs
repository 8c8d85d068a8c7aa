//! Every setting: its environment name, its default, and what it accepts.
//!
//! Takes the values as text, from wherever they come; refuses, one by one and by name, those that
//! are malformed. A refused setting falls back to its default, so that the request that is
//! answered with the refusal can still be traced. A malformed `OTEL_*` is no reason to refuse
//! requests: it is ignored with a warning (OpenTelemetry's "Environment Variable Specification").

use std::time::Duration;

use http::HeaderMap;

use crate::downstream::Downstream;
use crate::retry::Retries;
use crate::simulate::Simulation;
use crate::simulate::errors::Errors;
use crate::simulate::latency::Latency;
use crate::target::Target;
use crate::telemetry::sampling::Sampling;

mod setting;
pub mod text;
mod value;
mod values;

pub use setting::*;
pub use values::{Value, Values};

/// What the service is told to do.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The service's name.
    pub name: String,
    /// The services to call, in order.
    pub downstreams: Vec<Downstream>,
    /// Simulated latency and failures.
    pub simulation: Simulation,
    /// Whether the downstreams are called one after the other.
    pub fanout: Fanout,
    /// The limit of one try of a downstream call, from the first byte sent to the last received,
    /// and of all waits between its tries.
    pub timeout: Duration,
    /// When a failed downstream call is tried again.
    pub retries: Retries,
    /// How many calls in a row a request may lead to.
    pub max_hops: u64,
    /// Whether a proxy in front of the service is believed.
    pub trusts_proxy: bool,
    /// The HTTP methods that spans name, comma separated; empty for those of the conventions.
    pub known_methods: String,
    /// Where spans go; none where the setting is malformed.
    pub otlp_endpoint: Option<Target>,
    /// How spans are sent there.
    pub export: Export,
    /// Attributes of the resource, beside those that the service gives itself.
    pub resource_attributes: Vec<(String, String)>,
    /// Which traces are recorded.
    pub sampling: Sampling,
    /// How ended spans are gathered.
    pub batching: Batching,
    /// Whether no spans are made at all.
    pub sdk_disabled: bool,
}

/// How the downstreams of a request are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fanout {
    /// One after the other, each with the list as it stands.
    Sequential,
    /// All at once, each with the same list.
    Parallel,
}

/// How batches of spans are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// Headers of each export.
    pub headers: HeaderMap,
    /// How spans are encoded.
    pub encoding: Encoding,
    /// Whether the encoded spans are compressed.
    pub gzip: bool,
    /// The limit of one export.
    pub timeout: Duration,
}

/// How OTLP writes spans over HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// `http/protobuf`.
    Protobuf,
    /// `http/json`.
    Json,
}

/// The batch span processor's settings, named as in the OpenTelemetry SDK specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Batching {
    /// How long the first span of a batch waits for others, at most [`LONGEST_WAIT`].
    pub schedule_delay: Duration,
    /// How many ended spans are held; more are dropped.
    pub max_queue_size: usize,
    /// How many spans one export carries.
    pub max_export_batch_size: usize,
}

/// The longest that a span waits for company, whatever the setting: a host that shuts down gives
/// tasks five seconds, and can't tell them.
pub const LONGEST_WAIT: Duration = Duration::from_secs(4);

/// What is wrong with the settings, one sentence for each that is malformed:
/// `APP_ERRORS: 'abc' is not a percentage from 0 to 100`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problems {
    /// Of settings without which no request is worked on.
    pub refused: Vec<String>,
    /// Of `OTEL_*`, whose defaults hold instead.
    pub ignored: Vec<String>,
}

/// What a line on stderr about [`Problems::ignored`] begins with. Each instance writes its own.
pub const WARNING: &str = "warning: ";

impl Config {
    /// Makes the configuration of the settings' values, and says what is wrong with them.
    pub fn read(values: &Values) -> (Config, Problems) {
        let mut reader = Reader {
            values,
            problems: Problems::default(),
        };
        let max_queue_size = reader.parse(&OTEL_BSP_MAX_QUEUE_SIZE, value::count);
        let mut resource_attributes = reader.parse(&OTEL_RESOURCE_ATTRIBUTES, value::attributes);
        let attributed_name = take(&mut resource_attributes, "service.name");
        let ratio = reader.parse(&OTEL_TRACES_SAMPLER_ARG, value::ratio);
        let otlp_endpoint = reader.try_parse(&OTLP_ENDPOINT, value::endpoint);
        let mut headers = reader.parse(&OTEL_EXPORTER_OTLP_HEADERS, value::headers);
        let left_out = value::remove_reserved(&mut headers);
        if !left_out.is_empty() {
            let (env, left_out) = (OTEL_EXPORTER_OTLP_HEADERS.env, left_out.join(", "));
            let problem = format!("{env}: left out, since exporter and host set them: {left_out}");
            reader.problems.ignored.push(problem);
        }
        let host = otlp_endpoint
            .as_ref()
            .and_then(|target| target.url().host());
        if host == Some(values::VIEWER)
            && let Some(token) = reader.given(&APP_VIEWER_TOKEN)
        {
            value::bring(&token, &mut headers);
        }
        let config = Config {
            // The variable, then the attribute, then the default.
            name: reader
                .given(&APP_NAME)
                .or(attributed_name.filter(|name| !name.trim().is_empty()))
                .unwrap_or_else(|| APP_NAME.default.to_owned()),
            resource_attributes,
            sampling: reader.parse(&OTEL_TRACES_SAMPLER, |name| Sampling::parse(name, ratio)),
            export: Export {
                headers,
                encoding: reader.parse(&OTEL_EXPORTER_OTLP_PROTOCOL, value::encoding),
                gzip: reader.parse(&OTEL_EXPORTER_OTLP_COMPRESSION, value::gzip),
                timeout: reader.parse(&OTEL_EXPORTER_OTLP_TIMEOUT, value::limit),
            },
            downstreams: reader.parse(&APP_URL_DESTINO, value::downstreams),
            simulation: Simulation {
                errors: reader.parse(&APP_ERRORS, Errors::parse),
                latency: reader.parse(&APP_LATENCY, Latency::parse),
                latency_cap: reader.parse(&APP_LATENCY_CAP, value::timeout),
                incidents: reader.parse(&APP_INCIDENTS, value::incidents),
                overrides: reader.parse(&APP_OVERRIDES, value::switch),
                seed: reader.given(&APP_SEED),
            },
            fanout: reader.parse(&APP_FANOUT, value::fanout),
            timeout: reader.parse(&APP_TIMEOUT, value::timeout),
            retries: Retries {
                most: reader.parse(&APP_RETRIES, value::retries),
                after_timeouts: true,
            },
            max_hops: reader.parse(&APP_MAX_HOPS, value::count) as u64,
            trusts_proxy: reader.parse(&APP_TRUST_PROXY, value::switch),
            known_methods: reader
                .given(&OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS)
                .unwrap_or_default(),
            otlp_endpoint,
            batching: Batching {
                schedule_delay: reader
                    .parse(&OTEL_BSP_SCHEDULE_DELAY, value::milliseconds)
                    .min(LONGEST_WAIT),
                max_queue_size,
                max_export_batch_size: reader
                    .parse(&OTEL_BSP_MAX_EXPORT_BATCH_SIZE, value::count)
                    .min(max_queue_size),
            },
            sdk_disabled: reader.parse(&OTEL_SDK_DISABLED, value::boolean),
        };
        (config, reader.problems)
    }
}

struct Reader<'v> {
    values: &'v Values,
    problems: Problems,
}

impl Reader<'_> {
    fn parse<T>(&mut self, setting: &Setting, parse: impl Fn(&str) -> Result<T, String>) -> T {
        self.try_parse(setting, &parse)
            .unwrap_or_else(|| parse(setting.default).expect("every default is accepted"))
    }

    fn try_parse<T>(
        &mut self,
        setting: &Setting,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let given = self.given(setting);
        match parse(given.as_deref().unwrap_or(setting.default)) {
            Ok(parsed) => Some(parsed),
            Err(problem) => {
                self.refuse(setting, &problem);
                None
            }
        }
    }

    fn given(&mut self, setting: &Setting) -> Option<String> {
        self.values.get(setting).unwrap_or_else(|why| {
            self.refuse(setting, &format!("the value could not be read: {why}"));
            None
        })
    }

    fn refuse(&mut self, setting: &Setting, problem: &str) {
        let (problems, consequence) = match setting.env.starts_with("OTEL_") {
            true => (&mut self.problems.ignored, "; the default holds"),
            false => (&mut self.problems.refused, ""),
        };
        problems.push(format!("{}: {problem}{consequence}", setting.env));
    }
}

fn take(attributes: &mut Vec<(String, String)>, wanted: &str) -> Option<String> {
    let at = attributes.iter().position(|(key, _)| key == wanted)?;
    Some(attributes.remove(at).1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[(&str, &str)]) -> (Config, Problems) {
        let mut read = Values::default();
        for (env, value) in values {
            let setting = SETTINGS.into_iter().find(|setting| setting.env == *env);
            read.set(setting.unwrap(), Ok(Some((*value).to_owned())));
        }
        Config::read(&read)
    }

    #[test]
    fn has_a_default_for_everything() {
        let (config, problems) = read(&[]);
        assert_eq!(problems, Problems::default());
        assert_eq!(config.name, "tracing-tail");
        assert_eq!(config.downstreams, []);
        assert_eq!(config.timeout, Duration::from_secs(5));
        assert_eq!(
            config.otlp_endpoint.as_ref().map(Target::shown),
            Some("http://collector:4318/v1/traces")
        );
        assert_eq!(
            config.batching,
            Batching {
                schedule_delay: Duration::from_millis(250),
                max_queue_size: 2048,
                max_export_batch_size: 128,
            }
        );
    }

    #[test]
    fn takes_an_empty_value_for_an_unset_one() {
        let empty: Vec<_> = SETTINGS.iter().map(|setting| (setting.env, " ")).collect();
        assert_eq!(read(&empty), read(&[]));
    }

    #[test]
    fn forgives_spaces_and_trailing_slashes_in_url_destino() {
        let (config, problems) = read(&[("APP_URL_DESTINO", " http://b:1/ , ,http://c/base// ")]);
        assert_eq!(problems, Problems::default());
        let urls: Vec<_> = config.downstreams.iter().map(Downstream::shown).collect();
        assert_eq!(urls, ["http://b:1/process", "http://c/base/process"]);
    }

    #[test]
    fn brings_the_viewers_token_to_the_viewer_alone() {
        let table = [
            (
                "http://viewer.spin.internal/v1/traces",
                "",
                Some("Bearer s3cret"),
            ),
            (
                "http://viewer.spin.internal/v1/traces",
                "authorization=mine",
                Some("mine"),
            ),
            ("http://collector:4318/v1/traces", "", None),
            (
                "http://viewer.spin.internal.evil.example/v1/traces",
                "",
                None,
            ),
            ("http://c/viewer.spin.internal", "", None),
        ];
        for (endpoint, headers, expected) in table {
            let (config, problems) = read(&[
                ("APP_VIEWER_TOKEN", "s3cret"),
                ("OTLP_ENDPOINT", endpoint),
                ("OTEL_EXPORTER_OTLP_HEADERS", headers),
            ]);
            assert_eq!(problems, Problems::default());
            let brought = config.export.headers.get("authorization");
            let brought = brought.and_then(|value| value.to_str().ok());
            assert_eq!(brought, expected, "{endpoint} {headers}");
        }
    }

    #[test]
    fn lets_no_span_wait_longer_than_a_shutdown_takes() {
        let (config, problems) = read(&[("OTEL_BSP_SCHEDULE_DELAY", "5000")]);
        assert_eq!(problems, Problems::default());
        assert_eq!(config.batching.schedule_delay, LONGEST_WAIT);
    }

    #[test]
    fn keeps_a_batch_within_the_queue() {
        let (config, problems) = read(&[("OTEL_BSP_MAX_QUEUE_SIZE", "100")]);
        assert_eq!(problems, Problems::default());
        assert_eq!(config.batching.max_export_batch_size, 100);
    }

    #[test]
    fn names_each_malformed_setting_with_its_value_and_what_is_accepted() {
        let table = [
            (
                "APP_ERRORS",
                "abc",
                "'abc' is not a percentage from 0 to 100",
            ),
            (
                "APP_ERRORS",
                "101",
                "'101' is not a percentage from 0 to 100",
            ),
            (
                "APP_TIMEOUT",
                "5",
                "'5' is not a duration such as 5s or 500ms, at most 1h",
            ),
            (
                "APP_TIMEOUT",
                "0s",
                "'0s' is not a duration such as 5s or 500ms, at most 1h",
            ),
            (
                "APP_TIMEOUT",
                "2h",
                "'2h' is not a duration such as 5s or 500ms, at most 1h",
            ),
            (
                "APP_FANOUT",
                "both",
                "'both' is not one of sequential, parallel",
            ),
            ("APP_OVERRIDES", "yes", "'yes' is not one of on, off"),
            ("APP_TRUST_PROXY", "1", "'1' is not one of on, off"),
            (
                "APP_LATENCY_CAP",
                "30",
                "'30' is not a duration such as 5s or 500ms, at most 1h",
            ),
            (
                "APP_INCIDENTS",
                "every=5m",
                "'every=5m' is no incident such as every=5m,for=30s,errors=50,latency=2s: it needs every, \
                 at most 1h, for, at most as long, and errors or latency or both",
            ),
            (
                "APP_URL_DESTINO",
                "http://user:pa,ss@b",
                "what follows a comma does not begin with http:// or https://: in a password write %2C for a comma",
            ),
            (
                "APP_URL_DESTINO",
                "http://b;p=x",
                "'p=x' after http://b is not a share such as p=30, from 0 to 100 percent",
            ),
            (
                "APP_RETRIES",
                "-1",
                "'-1' is not a whole number from 0 to 100",
            ),
            (
                "APP_MAX_HOPS",
                "0",
                "'0' is not a whole number from 1 to 2147483647",
            ),
            (
                "OTLP_ENDPOINT",
                "collector:4318",
                "'collector:4318' is not an http:// or https:// URL such as http://localhost:4318/v1/traces",
            ),
            (
                "OTLP_ENDPOINT",
                "http://u:p/w@c/",
                "an '@' follows the first '/', '?' or '#' of a URL, which is not shown: in a user name or a \
                 password write %40, %2F, %3F, %23",
            ),
            (
                "APP_URL_DESTINO",
                "http://b,http://u:p#w@c",
                "an '@' follows the first '/', '?' or '#' of a URL, which is not shown: in a user name or a \
                 password write %40, %2F, %3F, %23",
            ),
            (
                "OTLP_ENDPOINT",
                "ftp://u:p@c/",
                "'ftp://REDACTED:REDACTED@c/' is not an http:// or https:// URL such as http://localhost:4318/v1/traces",
            ),
            (
                "APP_URL_DESTINO",
                "http://b, service-c",
                "'service-c' is not an http:// or https:// URL such as http://service-b.spin.internal",
            ),
        ];
        for (env, value, problem) in table {
            let (config, problems) = read(&[(env, value)]);
            assert_eq!(problems.refused, [format!("{env}: {problem}")]);
            assert_eq!(problems.ignored, [""; 0]);
            assert_eq!(
                config.simulation,
                read(&[]).0.simulation,
                "{env} falls back to its default"
            );
        }
    }

    #[test]
    fn ignores_a_malformed_setting_of_opentelemetry_and_says_so() {
        let table = [
            (
                "OTEL_EXPORTER_OTLP_TIMEOUT",
                "-1",
                "'-1' is not a whole number of milliseconds from 0 to 2147483647",
            ),
            (
                "OTEL_TRACES_SAMPLER_ARG",
                "1.5",
                "'1.5' is not a number from 0 to 1",
            ),
            (
                "OTEL_TRACES_SAMPLER",
                "sometimes",
                "'sometimes' is not one of always_on, always_off, traceidratio, parentbased_always_on, \
                 parentbased_always_off, parentbased_traceidratio",
            ),
            (
                "OTEL_EXPORTER_OTLP_HEADERS",
                "a=1,key",
                "entry 2 is no pair such as key=value, with the value percent-encoded",
            ),
            (
                "OTEL_EXPORTER_OTLP_HEADERS",
                "a b=1",
                "entry 1 is no pair such as key=value, with the value percent-encoded",
            ),
            (
                "OTEL_EXPORTER_OTLP_HEADERS",
                "a=%0a",
                "entry 1 is no pair such as key=value, with the value percent-encoded",
            ),
            (
                "OTEL_RESOURCE_ATTRIBUTES",
                "a=1,=2",
                "entry 2 is no pair such as key=value, with the value percent-encoded",
            ),
            (
                "OTEL_RESOURCE_ATTRIBUTES",
                "a=1,b",
                "entry 2 is no pair such as key=value, with the value percent-encoded",
            ),
            (
                "OTEL_EXPORTER_OTLP_PROTOCOL",
                "grpc",
                "'grpc' is not one of http/protobuf, http/json",
            ),
            (
                "OTEL_EXPORTER_OTLP_COMPRESSION",
                "zstd",
                "'zstd' is not one of none, gzip",
            ),
            ("OTEL_SDK_DISABLED", "1", "'1' is not one of true, false"),
            (
                "OTEL_BSP_SCHEDULE_DELAY",
                "1s",
                "'1s' is not a whole number of milliseconds from 0 to 2147483647",
            ),
            (
                "OTEL_BSP_MAX_QUEUE_SIZE",
                "0",
                "'0' is not a whole number from 1 to 2147483647",
            ),
            (
                "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
                "2147483648",
                "'2147483648' is not a whole number from 1 to 2147483647",
            ),
        ];
        for (env, value, problem) in table {
            let (config, problems) = read(&[(env, value)]);
            assert_eq!(
                problems.ignored,
                [format!("{env}: {problem}; the default holds")]
            );
            assert_eq!(problems.refused, [""; 0]);
            assert_eq!(config, read(&[]).0, "{env} falls back to its default");
        }
    }

    #[test]
    fn takes_the_words_of_opentelemetry_in_any_case_and_0_for_no_limit() {
        let (config, problems) = read(&[
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "HTTP/JSON"),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", "GZip"),
            ("OTEL_TRACES_SAMPLER", "Parentbased_TraceIdRatio"),
            ("OTEL_TRACES_SAMPLER_ARG", "1e-3"),
            ("OTEL_SDK_DISABLED", "TRUE"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "0"),
        ]);
        assert_eq!(problems, Problems::default());
        assert_eq!(config.export.encoding, Encoding::Json);
        assert!(config.export.gzip && config.sdk_disabled);
        assert_eq!(
            Ok(config.sampling),
            Sampling::parse("parentbased_traceidratio", 0.001)
        );
        assert!(config.export.timeout > Duration::from_secs(1_000_000));
    }

    #[test]
    fn leaves_out_the_headers_of_an_export_that_are_not_the_settings_to_say() {
        let (config, problems) = read(&[(
            "OTEL_EXPORTER_OTLP_HEADERS",
            "Host=a,x-tenant=t1,Content-Length=1,connection=close,transfer-encoding=chunked",
        )]);
        assert_eq!(
            problems.ignored,
            [
                "OTEL_EXPORTER_OTLP_HEADERS: left out, since exporter and host set them: connection, host, \
                 transfer-encoding, content-length"
            ]
        );
        assert_eq!(problems.refused, [""; 0]);
        let kept: Vec<_> = config.export.headers.keys().collect();
        assert_eq!(kept, ["x-tenant"]);
    }

    #[test]
    fn reads_attributes_of_the_resource() {
        let table = [
            ("a=1,b=2,a=3", vec![("b", "2"), ("a", "3")]),
            ("a%2Cb%3D=1%2C2", vec![("a,b=", "1,2")]),
            ("service.name=,a=", vec![("a", "")]),
            ("a=1,%20=2", vec![]),
            ("a=1,b=%zz", vec![]),
        ];
        for (text, expected) in table {
            let (config, problems) = read(&[("OTEL_RESOURCE_ATTRIBUTES", text)]);
            let read = config.resource_attributes.iter();
            let read: Vec<_> = read.map(|(key, value)| (&key[..], &value[..])).collect();
            assert_eq!(read, expected, "{text}");
            assert_eq!(problems.ignored.len(), usize::from(expected.is_empty()));
            assert_eq!(config.name, "tracing-tail", "{text}");
        }
    }

    #[test]
    fn the_name_is_the_variable_then_the_attribute() {
        let attributes = ("OTEL_RESOURCE_ATTRIBUTES", "service.name=attribute,a=1");
        let (config, _) = read(&[attributes]);
        assert_eq!(config.name, "attribute");
        let (config, _) = read(&[attributes, ("APP_NAME", "variable")]);
        assert_eq!(config.name, "variable");
        let twice = "service.name=first,service.name=last";
        assert_eq!(read(&[("OTEL_RESOURCE_ATTRIBUTES", twice)]).0.name, "last");
    }

    #[test]
    fn names_a_setting_that_cannot_be_read() {
        let mut values = Values::default();
        values.set(APP_NAME, Err("no UTF-8".to_owned()));
        values.set(OTEL_TRACES_SAMPLER, Err("no UTF-8".to_owned()));
        let (_, problems) = Config::read(&values);
        assert_eq!(
            problems.refused,
            ["APP_NAME: the value could not be read: no UTF-8"]
        );
        assert_eq!(
            problems.ignored,
            ["OTEL_TRACES_SAMPLER: the value could not be read: no UTF-8; the default holds"]
        );
    }
}
