//! Every setting: its environment name, its default, and what it accepts.
//!
//! Takes the values as text, from wherever they come; refuses, one by one and by name, those that
//! are malformed. A refused setting falls back to its default, so that the request that is
//! answered with the refusal can still be traced.

use std::time::Duration;

use http::Uri;

use crate::downstream::Downstream;
use crate::simulate::{Errors, Latency};

/// A setting's name in the environment, and its value where nothing is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// The environment variable, as in the Python original and in OpenTelemetry.
    pub env: &'static str,
    /// The value where the variable is missing or empty.
    pub default: &'static str,
}

impl Setting {
    /// The component variable that carries the setting: the environment's name in lower case.
    pub fn variable(&self) -> String {
        self.env.to_ascii_lowercase()
    }
}

/// `service.name`, and what is appended to the payload.
pub const APP_NAME: Setting = Setting {
    env: "APP_NAME",
    default: "tracing-tail",
};
/// Base URLs of the services that are called, comma separated.
pub const APP_URL_DESTINO: Setting = Setting {
    env: "APP_URL_DESTINO",
    default: "",
};
/// How many requests fail, and with which status.
pub const APP_ERRORS: Setting = Setting {
    env: "APP_ERRORS",
    default: "0",
};
/// How long a request is delayed.
pub const APP_LATENCY: Setting = Setting {
    env: "APP_LATENCY",
    default: "0",
};
/// The limit of one downstream call.
pub const APP_TIMEOUT: Setting = Setting {
    env: "APP_TIMEOUT",
    default: "5s",
};
/// One more destination that the manifest allows. Only the manifest reads it.
pub const APP_ALLOWED_HOST: Setting = Setting {
    env: "APP_ALLOWED_HOST",
    default: "http://*.spin.internal",
};
/// The full URL that receives the spans.
pub const OTLP_ENDPOINT: Setting = Setting {
    env: "OTLP_ENDPOINT",
    default: "http://collector:4318/v1/traces",
};
/// How long an ended span may wait for company, in milliseconds.
pub const OTEL_BSP_SCHEDULE_DELAY: Setting = Setting {
    env: "OTEL_BSP_SCHEDULE_DELAY",
    default: "100",
};
/// How many ended spans one instance holds.
pub const OTEL_BSP_MAX_QUEUE_SIZE: Setting = Setting {
    env: "OTEL_BSP_MAX_QUEUE_SIZE",
    default: "2048",
};
/// How many spans one export carries.
pub const OTEL_BSP_MAX_EXPORT_BATCH_SIZE: Setting = Setting {
    env: "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
    default: "512",
};

/// All settings, in the order of the README's table.
pub const SETTINGS: [Setting; 10] = [
    APP_NAME,
    APP_URL_DESTINO,
    APP_ERRORS,
    APP_LATENCY,
    APP_TIMEOUT,
    APP_ALLOWED_HOST,
    OTLP_ENDPOINT,
    OTEL_BSP_SCHEDULE_DELAY,
    OTEL_BSP_MAX_QUEUE_SIZE,
    OTEL_BSP_MAX_EXPORT_BATCH_SIZE,
];

/// What the service is told to do.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The service's name.
    pub name: String,
    /// The services to call, in order.
    pub downstreams: Vec<Downstream>,
    /// Simulated failures.
    pub errors: Errors,
    /// Simulated latency.
    pub latency: Latency,
    /// The limit of one downstream call, from the first byte sent to the last received.
    pub timeout: Duration,
    /// Where spans go; none where the setting is malformed.
    pub otlp_endpoint: Option<Uri>,
    /// How ended spans are gathered.
    pub batching: Batching,
}

/// The batch span processor's settings, named as in the OpenTelemetry SDK specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Batching {
    /// How long the first span of a batch waits for others.
    pub schedule_delay: Duration,
    /// How many ended spans are held; more are dropped.
    pub max_queue_size: usize,
    /// How many spans one export carries.
    pub max_export_batch_size: usize,
}

impl Config {
    /// Reads every setting through `lookup` and returns the configuration with one sentence for
    /// each setting that is malformed: `APP_ERRORS: 'abc' is not a percentage from 0 to 100`.
    pub fn read(lookup: impl Fn(&Setting) -> Value) -> (Config, Vec<String>) {
        let mut reader = Reader {
            lookup,
            problems: Vec::new(),
        };
        let max_queue_size = reader.parse(&OTEL_BSP_MAX_QUEUE_SIZE, parse_count);
        let config = Config {
            name: reader.parse(&APP_NAME, |text| Ok(text.to_owned())),
            downstreams: reader.parse(&APP_URL_DESTINO, parse_downstreams),
            errors: reader.parse(&APP_ERRORS, Errors::parse),
            latency: reader.parse(&APP_LATENCY, Latency::parse),
            timeout: reader.parse(&APP_TIMEOUT, parse_timeout),
            otlp_endpoint: reader.try_parse(&OTLP_ENDPOINT, parse_endpoint),
            batching: Batching {
                schedule_delay: reader.parse(&OTEL_BSP_SCHEDULE_DELAY, parse_milliseconds),
                max_queue_size,
                max_export_batch_size: reader
                    .parse(&OTEL_BSP_MAX_EXPORT_BATCH_SIZE, parse_count)
                    .min(max_queue_size),
            },
        };
        (config, reader.problems)
    }
}

/// What the world knows of one setting: its value if it is set, or why that can't be told.
pub type Value = Result<Option<String>, String>;

struct Reader<L> {
    lookup: L,
    problems: Vec<String>,
}

impl<L: Fn(&Setting) -> Value> Reader<L> {
    fn parse<T>(&mut self, setting: &Setting, parse: impl Fn(&str) -> Result<T, String>) -> T {
        self.try_parse(setting, &parse)
            .unwrap_or_else(|| parse(setting.default).expect("every default is accepted"))
    }

    fn try_parse<T>(
        &mut self,
        setting: &Setting,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let parsed = (self.lookup)(setting)
            .map_err(|why| format!("the value could not be read: {why}"))
            .and_then(|value| {
                // An empty value counts as unset, as the OpenTelemetry specification has it.
                let text = value
                    .as_deref()
                    .map(str::trim)
                    .filter(|text| !text.is_empty());
                parse(text.unwrap_or(setting.default))
            });
        match parsed {
            Ok(parsed) => Some(parsed),
            Err(problem) => {
                self.problems.push(format!("{}: {problem}", setting.env));
                None
            }
        }
    }
}

fn parse_downstreams(text: &str) -> Result<Vec<Downstream>, String> {
    text.split(',')
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
        .map(Downstream::parse)
        .collect()
}

fn parse_endpoint(text: &str) -> Result<Uri, String> {
    text.parse::<Uri>()
        .ok()
        .filter(|uri| matches!(uri.scheme_str(), Some("http" | "https")))
        .filter(|uri| uri.host().is_some_and(|host| !host.is_empty()))
        .ok_or_else(|| {
            format!(
                "'{}' is not an http:// or https:// URL such as http://localhost:4318/v1/traces",
                redact_userinfo(text)
            )
        })
}

fn parse_timeout(text: &str) -> Result<Duration, String> {
    parse_duration(text)
        .filter(|timeout| !timeout.is_zero())
        .ok_or_else(|| format!("'{text}' is not a duration such as 5s or 500ms, at most 1h"))
}

fn parse_milliseconds(text: &str) -> Result<Duration, String> {
    text.parse()
        .ok()
        .map(Duration::from_millis)
        .filter(|delay| *delay <= LONGEST)
        .ok_or_else(|| format!("'{text}' is not a whole number of milliseconds from 0 to 3600000"))
}

fn parse_count(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|count| (1..=1_000_000).contains(count))
        .ok_or_else(|| format!("'{text}' is not a whole number from 1 to 1000000"))
}

/// The longest duration that any setting accepts.
pub const LONGEST: Duration = Duration::from_secs(3600);

/// Reads `250ms`, `1.5s`, `2m` or `1h`; nothing above [`LONGEST`].
pub fn parse_duration(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at(digits);
    let seconds = match unit {
        "us" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(parse_decimal(number)? * seconds)
        .ok()
        .filter(|duration| *duration <= LONGEST)
}

/// Reads digits with at most one point: no sign, no exponent, no `inf`.
pub fn parse_decimal(text: &str) -> Option<f64> {
    let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    text.parse().ok().filter(|_| plain)
}

/// Hides the user name and password of a URL that is about to be shown.
pub fn redact_userinfo(url: &str) -> String {
    let start = url.find("://").map_or(0, |at| at + 3);
    let end = url[start..]
        .find(['/', '?', '#'])
        .map_or(url.len(), |at| start + at);
    match url[start..end].rfind('@') {
        Some(at) => format!("{}REDACTED:REDACTED{}", &url[..start], &url[start + at..]),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[(&str, &str)]) -> (Config, Vec<String>) {
        Config::read(|setting| {
            let set = values.iter().find(|(env, _)| *env == setting.env);
            Ok(set.map(|(_, value)| (*value).to_owned()))
        })
    }

    #[test]
    fn has_a_default_for_everything() {
        let (config, problems) = read(&[]);
        assert_eq!(problems, Vec::<String>::new());
        assert_eq!(config.name, "tracing-tail");
        assert_eq!(config.downstreams, []);
        assert_eq!(config.timeout, Duration::from_secs(5));
        assert_eq!(
            config.otlp_endpoint.map(|uri| uri.to_string()).as_deref(),
            Some("http://collector:4318/v1/traces")
        );
        assert_eq!(
            config.batching,
            Batching {
                schedule_delay: Duration::from_millis(100),
                max_queue_size: 2048,
                max_export_batch_size: 512,
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
        assert_eq!(problems, Vec::<String>::new());
        let urls: Vec<_> = config.downstreams.iter().map(Downstream::shown).collect();
        assert_eq!(urls, ["http://b:1/process", "http://c/base/process"]);
    }

    #[test]
    fn keeps_a_batch_within_the_queue() {
        let (config, problems) = read(&[("OTEL_BSP_MAX_QUEUE_SIZE", "100")]);
        assert_eq!(problems, Vec::<String>::new());
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
                "OTLP_ENDPOINT",
                "collector:4318",
                "'collector:4318' is not an http:// or https:// URL such as http://localhost:4318/v1/traces",
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
            (
                "OTEL_BSP_SCHEDULE_DELAY",
                "1s",
                "'1s' is not a whole number of milliseconds from 0 to 3600000",
            ),
            (
                "OTEL_BSP_MAX_QUEUE_SIZE",
                "0",
                "'0' is not a whole number from 1 to 1000000",
            ),
            (
                "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
                "-1",
                "'-1' is not a whole number from 1 to 1000000",
            ),
        ];
        for (env, value, problem) in table {
            let (config, problems) = read(&[(env, value)]);
            assert_eq!(problems, [format!("{env}: {problem}")]);
            assert_eq!(
                config.errors,
                read(&[]).0.errors,
                "{env} falls back to its default"
            );
        }
    }

    #[test]
    fn names_a_setting_that_cannot_be_read() {
        let (_, problems) = Config::read(|setting| match setting.env {
            "APP_NAME" => Err("no UTF-8".to_owned()),
            _ => Ok(None),
        });
        assert_eq!(
            problems,
            ["APP_NAME: the value could not be read: no UTF-8"]
        );
    }

    #[test]
    fn reads_durations() {
        let table = [
            ("250ms", Some(Duration::from_millis(250))),
            ("1.5s", Some(Duration::from_millis(1500))),
            ("20us", Some(Duration::from_micros(20))),
            ("2m", Some(Duration::from_secs(120))),
            ("1h", Some(Duration::from_secs(3600))),
            ("1.1h", None),
            ("1e3ms", None),
            ("-1s", None),
            ("inf s", None),
            ("s", None),
            ("1 s", None),
            ("", None),
        ];
        for (text, duration) in table {
            assert_eq!(parse_duration(text), duration, "{text}");
        }
    }

    #[test]
    fn hides_credentials() {
        let table = [
            ("http://u:p@host/x", "http://REDACTED:REDACTED@host/x"),
            ("http://u@host", "http://REDACTED:REDACTED@host"),
            ("http://host/a@b", "http://host/a@b"),
            ("host", "host"),
        ];
        for (url, shown) in table {
            assert_eq!(redact_userinfo(url), shown);
        }
    }
}
