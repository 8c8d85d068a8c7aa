//! OpenTelemetry for the service: context propagation, sampling, and the path of ended spans to the collector.
//!
//! - [`propagation`]: trace contexts and baggage in headers
//! - [`sampling`]: which traces are recorded
//! - `given_ids`: traces whose ids are known beforehand
//! - [`batch`] and [`processor`]: the span processor that batches ended spans
//! - `faults`: spans that leave in another way, on purpose
//! - [`otlp`]: export over the host's outbound HTTP
//! - [`span_account`]: how many spans were sent and lost
//!
//! The spans themselves are in [`instrument`](crate::instrument).

pub mod batch;
mod faults;
pub(crate) mod given_ids;
pub mod otlp;
pub mod processor;
pub mod propagation;
pub mod sampling;
pub mod span_account;

use std::time::Duration;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::resource::TelemetryResourceDetector;
use opentelemetry_sdk::trace::{RandomIdGenerator, SdkTracerProvider, TracerProviderBuilder};
use opentelemetry_semantic_conventions::{SCHEMA_URL, attribute as semconv};

pub use opentelemetry_sdk::trace::SdkTracer;

use crate::settings::Config;
use crate::simulate::telemetry_faults::DrawnFaults;
use crate::telemetry::faults::{OldTraceId, Route, RouteProcessor};
use crate::telemetry::given_ids::GivenIds;
use crate::telemetry::otlp::encode::ResourceAndScope;
use crate::telemetry::otlp::exporter::Exporter;
use crate::telemetry::processor::BatchSpanProcessor;
use crate::telemetry::propagation::{Propagator, ShortTraceIds};
use crate::wasi::Runtime;

/// The tracer of an instance, and what others are made of that share its queue.
#[derive(Debug)]
pub struct Telemetry<R> {
    /// The tracer. That of a disabled SDK creates no spans.
    pub tracer: SdkTracer,
    resource: Resource,
    /// `None` if nothing is exported.
    queue: Option<BatchSpanProcessor<R>>,
}

impl<R: Runtime> Telemetry<R> {
    /// Makes the tracer whose spans are sent to `config.otlp_endpoint`, if there is one.
    pub fn start(runtime: R, config: &Config) -> Telemetry<R> {
        let origin = ResourceAndScope {
            resource: resource(config),
            scope: scope(),
        };
        let endpoint = config.otlp_endpoint.as_ref();
        let endpoint = endpoint.filter(|_| !config.sdk_disabled);
        let queue = endpoint.map(|endpoint| {
            let exporter = Exporter::new(runtime.clone(), endpoint, &config.export, &origin);
            let mut batching = config.batching;
            if !R::REUSED {
                // The processor starts after the only request, so no more spans will come.
                batching.schedule_delay = Duration::ZERO;
            }
            BatchSpanProcessor::new(runtime, exporter, batching)
        });
        let mut provider = provider(config, &origin.resource);
        if let Some(queue) = &queue {
            provider = provider.with_span_processor(queue.clone());
        }
        let provider = provider.build();
        if config.sdk_disabled {
            // A provider that is shut down creates no spans.
            provider
                .shutdown()
                .expect("there is no processor that could fail to shut down");
        }
        Telemetry {
            tracer: provider.tracer_with_scope(origin.scope),
            resource: origin.resource,
            queue,
        }
    }

    /// The tracer of a request whose spans leave in another way than others, because of these faults.
    #[inline(never)]
    pub fn faulty_tracer(&self, faults: &DrawnFaults, config: &Config) -> Option<SdkTracer> {
        let route = Route::of(faults)?;
        let mut provider = provider(config, &self.resource);
        if route.reuses_trace {
            let short = config.propagators.contains(Propagator::OtTrace);
            provider = provider.with_id_generator(OldTraceId::of(&config.name, short));
        }
        if let Some(queue) = &self.queue {
            provider = provider.with_span_processor(RouteProcessor::new(queue.clone(), route));
        }
        Some(provider.build().tracer_with_scope(scope()))
    }
}

fn scope() -> InstrumentationScope {
    InstrumentationScope::builder(env!("CARGO_PKG_NAME"))
        .with_version(env!("CARGO_PKG_VERSION"))
        .with_schema_url(SCHEMA_URL)
        .build()
}

#[inline(never)]
fn provider(config: &Config, resource: &Resource) -> TracerProviderBuilder {
    let provider = SdkTracerProvider::builder()
        .with_sampler(config.sampling.sampler())
        // There may be any number of downstreams, and each adds an event and a link.
        .with_max_events_per_span(u32::MAX)
        // A step has as many attributes as APP_WORK asks for, within APP_MAX_SPAN_BYTES.
        .with_max_attributes_per_span(u32::MAX)
        .with_max_links_per_span(u32::MAX)
        .with_resource(resource.clone());
    match config.propagators.contains(Propagator::OtTrace) {
        true => provider.with_id_generator(GivenIds(ShortTraceIds::default())),
        false => provider.with_id_generator(GivenIds(RandomIdGenerator::default())),
    }
}

/// The attributes of the service, and those of the setting except `telemetry.sdk.*`.
fn resource(config: &Config) -> Resource {
    let configured = config.resource_attributes.iter();
    let configured = configured
        .filter(|(key, _)| !key.starts_with("telemetry.sdk."))
        .cloned();
    let mut attributes: Vec<_> = configured
        .map(|(key, value)| KeyValue::new(key, value))
        .collect();
    if !attributes
        .iter()
        .any(|pair| pair.key.as_str() == semconv::SERVICE_VERSION)
    {
        attributes.push(KeyValue::new(
            semconv::SERVICE_VERSION,
            env!("CARGO_PKG_VERSION"),
        ));
    }
    attributes.push(KeyValue::new(semconv::SERVICE_NAME, config.name.clone()));
    Resource::builder_empty()
        .with_detector(Box::new(TelemetryResourceDetector))
        .with_schema_url(attributes, SCHEMA_URL)
        .build()
}
