//! The table of settings: the only place in Rust with their names and defaults.

/// A setting's name in the environment, and its default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// The environment variable, as in the Python original and in OpenTelemetry.
    pub env: &'static str,
    /// The value if the variable is missing or empty.
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
/// The simulated latency of requests.
pub const APP_LATENCY: Setting = Setting {
    env: "APP_LATENCY",
    default: "0",
};
/// The longest delay, for settings and overrides alike.
pub const APP_LATENCY_CAP: Setting = Setting {
    env: "APP_LATENCY_CAP",
    default: "30s",
};
/// Recurring periods in which the service has other errors, latency or faults of its telemetry.
pub const APP_INCIDENTS: Setting = Setting {
    env: "APP_INCIDENTS",
    default: "",
};
/// The stores and outside APIs whose calls are simulated.
pub const APP_USES: Setting = Setting {
    env: "APP_USES",
    default: "",
};
/// The steps of work inside the service.
pub const APP_WORK: Setting = Setting {
    env: "APP_WORK",
    default: "",
};
/// The most spans of leaves and steps that one request makes at this service.
pub const APP_MAX_SPANS: Setting = Setting {
    env: "APP_MAX_SPANS",
    default: "10000",
};
/// The most bytes of attributes and events that a span may be filled with.
pub const APP_MAX_SPAN_BYTES: Setting = Setting {
    env: "APP_MAX_SPAN_BYTES",
    default: "262144",
};
/// What is wrong with the service's telemetry, and in how many requests.
pub const APP_TELEMETRY_FAULTS: Setting = Setting {
    env: "APP_TELEMETRY_FAULTS",
    default: "",
};
/// Whether requests may override errors, latency and faults of the telemetry in their baggage: `on` or `off`.
pub const APP_OVERRIDES: Setting = Setting {
    env: "APP_OVERRIDES",
    default: "on",
};
/// The seed that makes delays, failures and the choice of calls repeatable.
pub const APP_SEED: Setting = Setting {
    env: "APP_SEED",
    default: "",
};
/// How downstream services are called: `sequential` or `parallel`.
pub const APP_FANOUT: Setting = Setting {
    env: "APP_FANOUT",
    default: "sequential",
};
/// The limit of one attempt of a downstream call, and of all waits between its attempts.
pub const APP_TIMEOUT: Setting = Setting {
    env: "APP_TIMEOUT",
    default: "5s",
};
/// How often a failed downstream call is retried.
pub const APP_RETRIES: Setting = Setting {
    env: "APP_RETRIES",
    default: "0",
};
/// How many calls in a row a request from outside may lead to.
pub const APP_MAX_HOPS: Setting = Setting {
    env: "APP_MAX_HOPS",
    default: "64",
};
/// Whether to trust `Forwarded` and `X-Forwarded-*`: `on` or `off`.
pub const APP_TRUST_PROXY: Setting = Setting {
    env: "APP_TRUST_PROXY",
    default: "off",
};
/// An additional allowed outbound host. Only the manifest reads it.
pub const APP_ALLOWED_HOST: Setting = Setting {
    env: "APP_ALLOWED_HOST",
    default: "http://*.spin.internal",
};
/// The full URL that receives the spans.
pub const OTLP_ENDPOINT: Setting = Setting {
    env: "OTLP_ENDPOINT",
    default: "http://collector:4318/v1/traces",
};
/// Where spans go while no setting says it: a manifest's own default, which is not a setting of its users.
pub const OTLP_DEFAULT_ENDPOINT: Setting = Setting {
    env: "OTLP_DEFAULT_ENDPOINT",
    default: "",
};
/// OpenTelemetry's name of [`APP_NAME`], which comes before it.
pub const OTEL_SERVICE_NAME: Setting = Setting {
    env: "OTEL_SERVICE_NAME",
    default: "",
};
/// The full URL that receives the spans, if [`OTLP_ENDPOINT`] is not set.
pub const OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: Setting = Setting {
    env: opentelemetry_otlp::OTEL_EXPORTER_OTLP_TRACES_ENDPOINT,
    default: "",
};
/// The URL of a receiver of all signals, if neither of the other two endpoints is set.
pub const OTEL_EXPORTER_OTLP_ENDPOINT: Setting = Setting {
    env: opentelemetry_otlp::OTEL_EXPORTER_OTLP_ENDPOINT,
    default: "",
};
/// Headers of each export: `name=value` pairs, comma separated, values percent-encoded. Secret.
pub const OTEL_EXPORTER_OTLP_HEADERS: Setting = Setting {
    env: opentelemetry_otlp::OTEL_EXPORTER_OTLP_HEADERS,
    default: "",
};
/// How spans are encoded: `http/protobuf` or `http/json`.
pub const OTEL_EXPORTER_OTLP_PROTOCOL: Setting = Setting {
    env: opentelemetry_otlp::OTEL_EXPORTER_OTLP_PROTOCOL,
    default: opentelemetry_otlp::OTEL_EXPORTER_OTLP_PROTOCOL_HTTP_PROTOBUF,
};
/// How exports are compressed: `none` or `gzip`.
pub const OTEL_EXPORTER_OTLP_COMPRESSION: Setting = Setting {
    env: opentelemetry_otlp::OTEL_EXPORTER_OTLP_COMPRESSION,
    default: "none",
};
/// The limit of one export, in milliseconds. OpenTelemetry's default is 10 s. This one is shorter because an instance
/// outlives its requests by that time, and a host has room for a limited number: 10,000 requests/s start 78
/// instances a second.
pub const OTEL_EXPORTER_OTLP_TIMEOUT: Setting = Setting {
    env: opentelemetry_otlp::OTEL_EXPORTER_OTLP_TIMEOUT,
    default: "3000",
};
/// Headers of each export, before [`OTEL_EXPORTER_OTLP_HEADERS`]. Secret.
pub const OTEL_EXPORTER_OTLP_TRACES_HEADERS: Setting = Setting {
    env: opentelemetry_otlp::OTEL_EXPORTER_OTLP_TRACES_HEADERS,
    default: "",
};
/// How spans are encoded, before [`OTEL_EXPORTER_OTLP_PROTOCOL`].
pub const OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: Setting = Setting {
    env: opentelemetry_otlp::OTEL_EXPORTER_OTLP_TRACES_PROTOCOL,
    default: "",
};
/// How exports are compressed, before [`OTEL_EXPORTER_OTLP_COMPRESSION`].
pub const OTEL_EXPORTER_OTLP_TRACES_COMPRESSION: Setting = Setting {
    env: opentelemetry_otlp::OTEL_EXPORTER_OTLP_TRACES_COMPRESSION,
    default: "",
};
/// The limit of one export, before [`OTEL_EXPORTER_OTLP_TIMEOUT`].
pub const OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: Setting = Setting {
    env: opentelemetry_otlp::OTEL_EXPORTER_OTLP_TRACES_TIMEOUT,
    default: "",
};
/// A certificate to trust, which a component can't choose: it is warned of.
pub const OTEL_EXPORTER_OTLP_CERTIFICATE: Setting = Setting {
    env: "OTEL_EXPORTER_OTLP_CERTIFICATE",
    default: "",
};
/// The same for traces.
pub const OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE: Setting = Setting {
    env: "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE",
    default: "",
};
/// Additional attributes of the resource: `key=value` pairs, comma separated, values percent-encoded.
pub const OTEL_RESOURCE_ATTRIBUTES: Setting = Setting {
    env: "OTEL_RESOURCE_ATTRIBUTES",
    default: "",
};
/// The formats in which contexts are read and sent: OpenTelemetry's names, comma separated.
pub const OTEL_PROPAGATORS: Setting = Setting {
    env: "OTEL_PROPAGATORS",
    default: "tracecontext,baggage",
};
/// Which traces are recorded: one of the specification's six samplers.
pub const OTEL_TRACES_SAMPLER: Setting = Setting {
    env: "OTEL_TRACES_SAMPLER",
    default: "parentbased_always_on",
};
/// The share of traces that a ratio sampler records.
pub const OTEL_TRACES_SAMPLER_ARG: Setting = Setting {
    env: "OTEL_TRACES_SAMPLER_ARG",
    default: "1",
};
/// The HTTP methods that spans name, comma separated, instead of the conventions' own list.
pub const OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS: Setting = Setting {
    env: "OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS",
    default: "",
};
/// How long an ended span waits for more spans, in milliseconds.
pub const OTEL_BSP_SCHEDULE_DELAY: Setting = Setting {
    env: "OTEL_BSP_SCHEDULE_DELAY",
    default: "250",
};
/// How many ended spans one instance holds.
pub const OTEL_BSP_MAX_QUEUE_SIZE: Setting = Setting {
    env: "OTEL_BSP_MAX_QUEUE_SIZE",
    default: "2048",
};
/// How many spans one export carries. OpenTelemetry's default is 512. This one is smaller because an instance serves
/// 128 requests, and should not wait for more spans after the last one.
pub const OTEL_BSP_MAX_EXPORT_BATCH_SIZE: Setting = Setting {
    env: "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
    default: "128",
};
/// Whether tracing is off; the caller's context is still propagated.
pub const OTEL_SDK_DISABLED: Setting = Setting {
    env: "OTEL_SDK_DISABLED",
    default: "false",
};
/// The bearer token for exports to the app's own viewer. Secret.
pub const APP_VIEWER_TOKEN: Setting = Setting {
    env: "APP_VIEWER_TOKEN",
    default: "",
};

/// All settings, in the order of the table in `docs/settings.md`.
pub const SETTINGS: [Setting; 43] = [
    APP_NAME,
    APP_URL_DESTINO,
    APP_ERRORS,
    APP_LATENCY,
    APP_LATENCY_CAP,
    APP_INCIDENTS,
    APP_USES,
    APP_WORK,
    APP_MAX_SPANS,
    APP_MAX_SPAN_BYTES,
    APP_TELEMETRY_FAULTS,
    APP_OVERRIDES,
    APP_SEED,
    APP_FANOUT,
    APP_TIMEOUT,
    APP_RETRIES,
    APP_MAX_HOPS,
    APP_TRUST_PROXY,
    APP_ALLOWED_HOST,
    OTLP_ENDPOINT,
    OTEL_SERVICE_NAME,
    OTEL_EXPORTER_OTLP_ENDPOINT,
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT,
    OTEL_EXPORTER_OTLP_HEADERS,
    OTEL_EXPORTER_OTLP_TRACES_HEADERS,
    OTEL_EXPORTER_OTLP_PROTOCOL,
    OTEL_EXPORTER_OTLP_TRACES_PROTOCOL,
    OTEL_EXPORTER_OTLP_COMPRESSION,
    OTEL_EXPORTER_OTLP_TRACES_COMPRESSION,
    OTEL_EXPORTER_OTLP_TIMEOUT,
    OTEL_EXPORTER_OTLP_TRACES_TIMEOUT,
    OTEL_EXPORTER_OTLP_CERTIFICATE,
    OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE,
    OTEL_RESOURCE_ATTRIBUTES,
    OTEL_PROPAGATORS,
    OTEL_TRACES_SAMPLER,
    OTEL_TRACES_SAMPLER_ARG,
    OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS,
    OTEL_BSP_SCHEDULE_DELAY,
    OTEL_BSP_MAX_QUEUE_SIZE,
    OTEL_BSP_MAX_EXPORT_BATCH_SIZE,
    OTEL_SDK_DISABLED,
    APP_VIEWER_TOKEN,
];
