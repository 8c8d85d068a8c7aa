//! Reads a [`Config`] from the values of the settings.

use super::table::{
    APP_ERRORS, APP_FANOUT, APP_INCIDENTS, APP_LATENCY, APP_LATENCY_CAP, APP_MAX_HOPS,
    APP_MAX_SPAN_BYTES, APP_MAX_SPANS, APP_NAME, APP_OVERRIDES, APP_RETRIES, APP_SEED,
    APP_TELEMETRY_FAULTS, APP_TIMEOUT, APP_TRUST_PROXY, APP_URL_DESTINO, APP_USES,
    APP_VIEWER_TOKEN, APP_WORK, OTEL_BSP_MAX_EXPORT_BATCH_SIZE, OTEL_BSP_MAX_QUEUE_SIZE,
    OTEL_BSP_SCHEDULE_DELAY, OTEL_EXPORTER_OTLP_CERTIFICATE, OTEL_EXPORTER_OTLP_COMPRESSION,
    OTEL_EXPORTER_OTLP_HEADERS, OTEL_EXPORTER_OTLP_PROTOCOL, OTEL_EXPORTER_OTLP_TIMEOUT,
    OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE, OTEL_EXPORTER_OTLP_TRACES_COMPRESSION,
    OTEL_EXPORTER_OTLP_TRACES_HEADERS, OTEL_EXPORTER_OTLP_TRACES_PROTOCOL,
    OTEL_EXPORTER_OTLP_TRACES_TIMEOUT, OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS, OTEL_PROPAGATORS,
    OTEL_RESOURCE_ATTRIBUTES, OTEL_SDK_DISABLED, OTEL_SERVICE_NAME, OTEL_TRACES_SAMPLER,
    OTEL_TRACES_SAMPLER_ARG, OTLP_ENDPOINT, Setting,
};
use super::values::{Values, is_viewer};
use super::{
    BatchConfig, Config, ExporterConfig, MAX_SCHEDULE_DELAY, Problems, activities, destinations,
    endpoints, parse,
};
use crate::retry::RetryPolicy;
use crate::simulate::Simulation;
use crate::simulate::activity::{self, Activity};
use crate::simulate::errors::Errors;
use crate::simulate::latency::Latency;
use crate::simulate::telemetry_faults::TelemetryFaults;
use crate::target::Target;
use crate::telemetry::propagation::Propagators;
use crate::telemetry::sampling::Sampling;

impl Config {
    /// Reads the configuration from the values of the settings, and collects what is wrong with them.
    pub fn read(values: &Values) -> (Config, Problems) {
        let mut reader = Reader {
            values,
            problems: Problems::default(),
        };
        let host = values.host();
        let destinations = reader.parse(&APP_URL_DESTINO, &|text: &str| {
            destinations::destinations(text, host)
        });
        let max_span_bytes = reader.parse(&APP_MAX_SPAN_BYTES, &parse::span_bytes);
        let leaves = reader.parse(&APP_USES, &activities::uses);
        let steps = reader.parse(&APP_WORK, &|text: &str| {
            activities::work(text, max_span_bytes)
        });
        let max_spans = reader.parse(&APP_MAX_SPANS, &parse::spans);
        let of_messages = destinations.queues.max_spans();
        let batching = reader.batching(&[&leaves, &steps], max_spans, of_messages);
        let mut resource_attributes = reader.parse(&OTEL_RESOURCE_ATTRIBUTES, &parse::attributes);
        let attributed_name = take_attribute(&mut resource_attributes, "service.name");
        let ratio = reader.parse(&OTEL_TRACES_SAMPLER_ARG, &parse::ratio);
        let otlp_endpoint = reader.endpoint();
        reader.warn_of_certificates();
        let mut headers = reader.first(
            &[
                OTEL_EXPORTER_OTLP_TRACES_HEADERS,
                OTEL_EXPORTER_OTLP_HEADERS,
            ],
            &parse::headers,
        );
        let removed = parse::remove_reserved(&mut headers);
        if !removed.is_empty() {
            let (env, removed) = (OTEL_EXPORTER_OTLP_HEADERS.env, removed.join(", "));
            let problem = format!("{env}: left out, since exporter and host set them: {removed}");
            reader.problems.ignored.push(problem);
        }
        let collector = otlp_endpoint
            .as_ref()
            .and_then(|target| target.url().host());
        let has_page = collector.is_some_and(is_viewer);
        if has_page && let Some(token) = reader.given(&APP_VIEWER_TOKEN) {
            parse::add_bearer_token(&token, &mut headers);
        }
        let config = Config {
            // The settings win over the resource attribute.
            name: reader
                .given(&APP_NAME)
                .or_else(|| reader.given(&OTEL_SERVICE_NAME))
                .or(attributed_name.filter(|name| !name.trim().is_empty()))
                .unwrap_or_else(|| APP_NAME.default.to_owned()),
            resource_attributes,
            propagators: reader.propagators(),
            sampling: reader.parse(&OTEL_TRACES_SAMPLER, &|name: &str| {
                Sampling::parse(name, ratio)
            }),
            export: ExporterConfig {
                headers,
                protocol: reader.first(
                    &[
                        OTEL_EXPORTER_OTLP_TRACES_PROTOCOL,
                        OTEL_EXPORTER_OTLP_PROTOCOL,
                    ],
                    &parse::protocol,
                ),
                compression: reader.first(
                    &[
                        OTEL_EXPORTER_OTLP_TRACES_COMPRESSION,
                        OTEL_EXPORTER_OTLP_COMPRESSION,
                    ],
                    &parse::compression,
                ),
                timeout: reader.first(
                    &[
                        OTEL_EXPORTER_OTLP_TRACES_TIMEOUT,
                        OTEL_EXPORTER_OTLP_TIMEOUT,
                    ],
                    &parse::limit,
                ),
            },
            downstreams: destinations.downstreams,
            queues: destinations.queues,
            simulation: Simulation {
                errors: reader.parse(&APP_ERRORS, &Errors::parse),
                latency: reader.parse(&APP_LATENCY, &Latency::parse),
                latency_cap: reader.parse(&APP_LATENCY_CAP, &parse::timeout),
                incidents: reader.parse(&APP_INCIDENTS, &|text: &str| {
                    parse::incidents(text, max_span_bytes)
                }),
                telemetry_faults: reader.parse(&APP_TELEMETRY_FAULTS, &|text: &str| {
                    TelemetryFaults::parse(text).and_then(|faults| faults.within(max_span_bytes))
                }),
                overrides: reader.parse(&APP_OVERRIDES, &parse::switch),
                seed: reader.given(&APP_SEED),
            },
            fanout: reader.parse(&APP_FANOUT, &parse::fanout),
            timeout: reader.parse(&APP_TIMEOUT, &parse::timeout),
            retries: RetryPolicy {
                max_retries: reader.parse(&APP_RETRIES, &parse::retries),
                retry_timeouts: true,
            },
            max_hops: reader.parse(&APP_MAX_HOPS, &parse::count) as u64,
            trusts_proxy: reader.parse(&APP_TRUST_PROXY, &parse::switch),
            known_methods: reader
                .given(&OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS)
                .unwrap_or_default(),
            otlp_endpoint,
            has_page,
            batching,
            leaves,
            steps,
            max_spans,
            max_span_bytes,
            sdk_disabled: reader.parse(&OTEL_SDK_DISABLED, &parse::boolean),
        };
        (config, reader.problems)
    }
}

struct Reader<'v> {
    values: &'v Values,
    problems: Problems,
}

/// How many spans an instance holds at most for the sake of its leaves and steps.
const MAX_RAISED_QUEUE: usize = 65_536;
/// How many requests of an instance fit in a queue that was raised.
const REQUESTS_IN_QUEUE: usize = 4;
/// How many batches fit in a queue that was raised, as in the default one.
const BATCHES_IN_QUEUE: usize = 16;

impl Reader<'_> {
    /// Reads how spans are batched. The queue and the batches are larger than their defaults where a request makes so
    /// many spans that they would not fit.
    fn batching(
        &mut self,
        activities: &[&[Activity]],
        max_spans: usize,
        of_messages: usize,
    ) -> BatchConfig {
        let per_request = activities.iter().map(|each| activity::max_spans(each));
        let per_request = per_request.fold(0, usize::saturating_add).min(max_spans) + of_messages;
        let wanted = (per_request * REQUESTS_IN_QUEUE).min(MAX_RAISED_QUEUE);
        let max_queue_size = self.raised(&OTEL_BSP_MAX_QUEUE_SIZE, wanted);
        let max_export_batch_size =
            self.raised(&OTEL_BSP_MAX_EXPORT_BATCH_SIZE, wanted / BATCHES_IN_QUEUE);
        BatchConfig {
            schedule_delay: self
                .parse(&OTEL_BSP_SCHEDULE_DELAY, &parse::milliseconds)
                .min(MAX_SCHEDULE_DELAY),
            max_queue_size,
            max_export_batch_size: max_export_batch_size.min(max_queue_size),
        }
    }

    /// A number, or its default if that is larger than `wanted`.
    fn raised(&mut self, setting: &Setting, wanted: usize) -> usize {
        let number = self.parse(setting, &parse::count);
        match self.given(setting) {
            Some(_) => number,
            None => number.max(wanted),
        }
    }
}

// Not inlined: with some forty settings, copies of these would be 2 % of the component.
impl Reader<'_> {
    /// Parses a setting; a refused value falls back to the default.
    fn parse<T>(&mut self, setting: &Setting, parse: &dyn Fn(&str) -> Result<T, String>) -> T {
        self.first(&[*setting], parse)
    }

    /// Parses the first of some settings that is set and accepted; without any, the default of the last one.
    #[inline(never)]
    fn first<T>(&mut self, settings: &[Setting], parse: &dyn Fn(&str) -> Result<T, String>) -> T {
        for setting in settings {
            if let Some(given) = self.given(setting) {
                match parse(&given) {
                    Ok(parsed) => return parsed,
                    Err(problem) => self.refuse(setting, &problem),
                }
            }
        }
        let default = settings.last().map_or("", |setting| setting.default);
        parse(default).expect("every default is accepted")
    }

    /// Where spans go; `None` if OTLP_ENDPOINT, which requests are refused for, is malformed.
    fn endpoint(&mut self) -> Option<Target> {
        let host = self.values.host();
        for (setting, url) in endpoints(&mut |setting| self.given(setting)) {
            let checked = parse::endpoint(&url).and_then(|target| {
                host.check(&target, host.otlp_endpoint())?;
                Ok(target)
            });
            match checked {
                Ok(target) => return Some(target),
                Err(problem) => self.refuse(&setting, &problem),
            }
            if setting == OTLP_ENDPOINT {
                return None;
            }
        }
        Target::parse(host.otlp_endpoint())
    }

    /// Certificates are the host's: a component has no say in them.
    fn warn_of_certificates(&mut self) {
        for setting in [
            OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE,
            OTEL_EXPORTER_OTLP_CERTIFICATE,
        ] {
            if self.given(&setting).is_some() {
                let env = setting.env;
                self.problems.ignored.push(format!(
                    "{env}: not used, since certificates are the host's, which trusts public authorities; \
                     for one of your own send spans over http:// to a Collector beside the app, which can use it"
                ));
            }
        }
    }

    /// Reads the list of propagators. An unknown name is left out, and the others hold.
    #[inline(never)]
    fn propagators(&mut self) -> Propagators {
        let given = self.given(&OTEL_PROPAGATORS);
        let (propagators, problems) = Propagators::parse(given.as_deref().unwrap_or_default());
        let env = OTEL_PROPAGATORS.env;
        let problems = problems.into_iter();
        let problems = problems.map(|problem| format!("{env}: {problem}; it is left out"));
        self.problems.ignored.extend(problems);
        propagators
    }

    /// The value that is set; `None` if the setting is unset, or cannot be read.
    #[inline(never)]
    fn given(&mut self, setting: &Setting) -> Option<String> {
        self.values.get(setting).unwrap_or_else(|why| {
            self.refuse(setting, &format!("the value could not be read: {why}"));
            None
        })
    }

    /// Records a problem. A problem of an `OTEL_*` setting is ignored.
    #[inline(never)]
    fn refuse(&mut self, setting: &Setting, problem: &str) {
        let (problems, consequence) = match setting.env.strip_prefix("OTEL_") {
            // There is another setting of the same.
            Some(rest)
                if rest.starts_with("EXPORTER_OTLP_TRACES_") || rest.ends_with("_ENDPOINT") =>
            {
                (&mut self.problems.ignored, "; it is ignored")
            }
            Some(_) => (&mut self.problems.ignored, "; the default holds"),
            None => (&mut self.problems.refused, ""),
        };
        problems.push(format!("{}: {problem}{consequence}", setting.env));
    }
}

fn take_attribute(attributes: &mut Vec<(String, String)>, key: &str) -> Option<String> {
    let index = attributes.iter().position(|(known, _)| known == key)?;
    Some(attributes.remove(index).1)
}
