//! Tests of reading settings.

use super::*;

fn read(values: &[(&str, &str)]) -> (Config, Problems) {
    let mut read = Values::default();
    for (env, value) in values {
        let mut settings = SETTINGS.into_iter().chain([OTLP_DEFAULT_ENDPOINT]);
        let setting = settings.find(|setting| setting.env == *env);
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
        config.otlp_endpoint.as_ref().map(Target::redacted),
        Some("http://collector:4318/v1/traces")
    );
    assert_eq!(
        config.batching,
        BatchConfig {
            schedule_delay: Duration::from_millis(250),
            max_queue_size: 2048,
            max_export_batch_size: 128,
        }
    );
}

#[test]
fn treats_an_empty_value_as_unset() {
    let empty: Vec<_> = SETTINGS.iter().map(|setting| (setting.env, " ")).collect();
    assert_eq!(read(&empty), read(&[]));
}

#[test]
fn ignores_spaces_and_trailing_slashes_in_url_destino() {
    let (config, problems) = read(&[("APP_URL_DESTINO", " http://b:1/ , ,http://c/base// ")]);
    assert_eq!(problems, Problems::default());
    let urls: Vec<_> = config
        .downstreams
        .iter()
        .map(Downstream::redacted)
        .collect();
    assert_eq!(urls, ["http://b:1/process", "http://c/base/process"]);
}

#[test]
fn sends_the_viewers_token_only_to_the_viewer() {
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
        (
            "http://tracing-tail-viewer.spin.internal/v1/traces",
            "",
            Some("Bearer s3cret"),
        ),
        ("http://collector:4318/v1/traces", "", None),
        ("http://my-viewer.spin.internal/v1/traces", "", None),
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
        let token = config.export.headers.get("authorization");
        let token = token.and_then(|value| value.to_str().ok());
        assert_eq!(token, expected, "{endpoint} {headers}");
    }
}

#[test]
fn limits_the_schedule_delay() {
    let (config, problems) = read(&[("OTEL_BSP_SCHEDULE_DELAY", "5000")]);
    assert_eq!(problems, Problems::default());
    assert_eq!(config.batching.schedule_delay, MAX_SCHEDULE_DELAY);
}

#[test]
fn keeps_a_batch_within_the_queue() {
    let (config, problems) = read(&[("OTEL_BSP_MAX_QUEUE_SIZE", "100")]);
    assert_eq!(problems, Problems::default());
    assert_eq!(config.batching.max_export_batch_size, 100);
}

#[test]
fn a_queue_of_spans_rises_with_what_a_request_makes() {
    let table = [
        (("APP_WORK", "a"), 2048, "a span"),
        (("APP_WORK", "a;calls=1000"), 4000, "steps"),
        (("APP_URL_DESTINO", ";queue=q"), 2048, "a message"),
        (("APP_URL_DESTINO", ";queue=q;batch=999"), 4000, "a batch"),
    ];
    for (setting, size, reason) in table {
        let (config, problems) = read(&[setting]);
        assert_eq!(problems, Problems::default(), "{reason}");
        assert_eq!(config.batching.max_queue_size, size, "{reason}");
    }
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
            "'every=5m' is not an incident such as every=5m,for=30s,errors=50,latency=2s: it needs every, \
             at most 1h, for, at most as long, and errors, latency or telemetry, or several of them",
        ),
        (
            "APP_TELEMETRY_FAULTS",
            "clock=-2s,clock=+1s",
            "'clock=+1s' is a second fault of the kind clock=",
        ),
        (
            "APP_TELEMETRY_FAULTS",
            "attributes=200x2KB",
            "with 'attributes=200x2KB' a span would have 419200 bytes, and APP_MAX_SPAN_BYTES is 262144",
        ),
        (
            "APP_INCIDENTS",
            "every=5m,for=1m,telemetry=attributes=200x2KB",
            "with 'attributes=200x2KB' a span would have 419200 bytes, and APP_MAX_SPAN_BYTES is 262144",
        ),
        (
            "APP_URL_DESTINO",
            "http://user:pa,ss@b",
            "what follows a comma does not begin with http:// or https://: in a password write %2C for a comma",
        ),
        (
            "APP_URL_DESTINO",
            "http://me@/word,https://b@c",
            "entry 1 is not a URL such as http://service-b.spin.internal, and is not shown, since the list has \
             credentials",
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
fn leaves_out_unknown_propagators_with_a_warning() {
    let (config, problems) = read(&[("OTEL_PROPAGATORS", "b3,zipkin")]);
    let names = "tracecontext, baggage, b3, b3multi, jaeger, xray, ottrace, none";
    let problem = format!("OTEL_PROPAGATORS: 'zipkin' is not one of {names}; it is left out");
    assert_eq!(problems.ignored, [problem]);
    assert_eq!(problems.refused, [""; 0]);
    assert_eq!(config.propagators.trace_formats(), ["b3"]);
    let default = OTEL_PROPAGATORS.default;
    assert_eq!(read(&[]).0.propagators, Propagators::parse(default).0);
}

#[test]
fn ignores_a_malformed_otel_setting_with_a_warning() {
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
            "entry 2 is not a pair such as key=value, with the value percent-encoded",
        ),
        (
            "OTEL_EXPORTER_OTLP_HEADERS",
            "a b=1",
            "entry 1 is not a pair such as key=value, with the value percent-encoded",
        ),
        (
            "OTEL_EXPORTER_OTLP_HEADERS",
            "a=%0a",
            "entry 1 is not a pair such as key=value, with the value percent-encoded",
        ),
        (
            "OTEL_RESOURCE_ATTRIBUTES",
            "a=1,=2",
            "entry 2 is not a pair such as key=value, with the value percent-encoded",
        ),
        (
            "OTEL_RESOURCE_ATTRIBUTES",
            "a=1,b",
            "entry 2 is not a pair such as key=value, with the value percent-encoded",
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
fn accepts_otel_values_in_any_case_and_0_as_no_limit() {
    let (config, problems) = read(&[
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "HTTP/JSON"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "GZip"),
        ("OTEL_TRACES_SAMPLER", "Parentbased_TraceIdRatio"),
        ("OTEL_TRACES_SAMPLER_ARG", "1e-3"),
        ("OTEL_SDK_DISABLED", "TRUE"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "0"),
    ]);
    assert_eq!(problems, Problems::default());
    assert_eq!(config.export.protocol, Protocol::HttpJson);
    assert_eq!(config.export.compression, Some(Compression::Gzip));
    assert!(config.sdk_disabled);
    assert_eq!(
        Ok(config.sampling),
        Sampling::parse("parentbased_traceidratio", 0.001)
    );
    assert!(config.export.timeout > Duration::from_secs(1_000_000));
}

#[test]
fn opentelemetry_s_names_come_after_the_service_s_own() {
    let endpoint = |given: &[(&str, &str)]| {
        let (config, problems) = read(given);
        let url = config.otlp_endpoint.map(|target| target.url().to_string());
        (url.unwrap_or_default(), problems)
    };
    let all = [
        ("OTLP_ENDPOINT", "http://own/"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://traces/as-is"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://all:4318"),
        ("OTLP_DEFAULT_ENDPOINT", "http://manifest/"),
    ];
    let urls = [
        "http://own/",
        "http://traces/as-is",
        "http://all:4318/v1/traces",
        "http://manifest/",
        "http://collector:4318/v1/traces",
    ];
    for (left_out, url) in urls.into_iter().enumerate() {
        assert_eq!(
            endpoint(&all[left_out..]),
            (url.to_owned(), Problems::default())
        );
    }
    let (url, problems) = endpoint(&[
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "traces:4318"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://all"),
    ]);
    assert_eq!(url, "http://all/v1/traces");
    assert_eq!(
        problems.ignored,
        [
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'traces:4318' is not an http:// or https:// URL such as \
             http://localhost:4318/v1/traces; it is ignored"
        ]
    );
    let name = |given: &[(&str, &str)]| read(given).0.name;
    let names = [
        ("APP_NAME", "own"),
        ("OTEL_SERVICE_NAME", "standard"),
        ("OTEL_RESOURCE_ATTRIBUTES", "service.name=attribute"),
    ];
    assert_eq!(name(&names), "own");
    assert_eq!(name(&names[1..]), "standard");
    assert_eq!(name(&names[2..]), "attribute");
}

#[test]
fn a_setting_of_traces_comes_before_that_of_all_signals() {
    let (config, problems) = read(&[
        ("OTEL_EXPORTER_OTLP_HEADERS", "a=1"),
        ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "b=2"),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
        ("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "none"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "700"),
        ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "soon"),
    ]);
    let headers: Vec<_> = config.export.headers.keys().collect();
    assert_eq!(headers, ["b"]);
    assert_eq!(config.export.protocol, Protocol::HttpJson);
    assert_eq!(config.export.compression, None);
    assert_eq!(config.export.timeout, Duration::from_millis(700));
    assert_eq!(problems.refused, [""; 0]);
    let [problem] = &problems.ignored[..] else {
        panic!("{problems:?}");
    };
    assert!(problem.starts_with("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: 'soon' is not"));
    assert!(problem.ends_with("; it is ignored"), "{problem}");
}

#[test]
fn a_certificate_is_warned_of() {
    for env in [
        "OTEL_EXPORTER_OTLP_CERTIFICATE",
        "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE",
    ] {
        let (config, problems) = read(&[(env, "/etc/ca.pem")]);
        let [problem] = &problems.ignored[..] else {
            panic!("{problems:?}");
        };
        assert!(
            problem.starts_with(&format!("{env}: not used, since ")),
            "{problem}"
        );
        assert_eq!(problems.refused, [""; 0]);
        assert_eq!(config, read(&[]).0);
    }
}

#[test]
fn removes_reserved_headers_of_an_export() {
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
fn the_setting_of_the_name_wins_over_the_attribute() {
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
