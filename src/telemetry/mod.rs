//! Tracing: the context that comes in and goes out, the spans, and their way to the collector.
//!
//! - [`context`]: W3C Trace Context and Baggage in headers
//! - [`tracestate`] and [`baggage`]: their lists
//! - [`spans`]: names, attributes and events of each span
//! - [`sampling`]: which traces are recorded
//! - [`batch`] and [`processor`]: the span processor that gathers ended spans into batches
//! - [`account`]: what became of them
//! - [`export`], [`encode`] and [`partial_success`]: OTLP over the host's outbound HTTP

pub mod account;
pub mod baggage;
pub mod batch;
pub mod context;
pub mod encode;
pub mod export;
pub mod partial_success;
pub mod processor;
pub mod sampling;
pub mod spans;
pub mod tracestate;

use std::time::Duration;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::resource::TelemetryResourceDetector;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use opentelemetry_semantic_conventions::{SCHEMA_URL, attribute as semconv};

use crate::config::Config;
use crate::telemetry::export::{Exporter, Origin};
use crate::telemetry::processor::BatchSpanProcessor;
use crate::wasi::World;

/// Makes the tracer whose spans go to `config.otlp_endpoint`; nowhere where that is none. Where the
/// SDK is disabled it makes no spans.
pub fn tracer<W: World>(world: W, config: &Config) -> SdkTracer {
    let origin = Origin {
        resource: resource(config),
        scope: InstrumentationScope::builder(env!("CARGO_PKG_NAME"))
            .with_version(env!("CARGO_PKG_VERSION"))
            .with_schema_url(SCHEMA_URL)
            .build(),
    };
    let mut provider = SdkTracerProvider::builder()
        .with_sampler(config.sampling.sampler())
        // Each downstream has an event and a link, and there may be any number of them.
        .with_max_events_per_span(u32::MAX)
        .with_max_links_per_span(u32::MAX)
        .with_resource(origin.resource.clone());
    let endpoint = config.otlp_endpoint.as_ref();
    if let Some(endpoint) = endpoint.filter(|_| !config.sdk_disabled) {
        let exporter = Exporter::new(world.clone(), endpoint, &config.export, &origin);
        let mut batching = config.batching;
        if !W::REUSED {
            // The request is over when the processor gets to work: no more spans will come.
            batching.schedule_delay = Duration::ZERO;
        }
        let processor = BatchSpanProcessor::new(world, exporter, batching);
        provider = provider.with_span_processor(processor);
    }
    let provider = provider.build();
    if config.sdk_disabled {
        // A provider that is shut down makes no spans.
        provider
            .shutdown()
            .expect("nothing is there that could fail to shut down");
    }
    provider.tracer_with_scope(origin.scope)
}

/// What the service is, and what the setting adds; `telemetry.sdk.*` is not for the setting to say.
fn resource(config: &Config) -> Resource {
    let given = config.resource_attributes.iter();
    let given = given
        .filter(|(key, _)| !key.starts_with("telemetry.sdk."))
        .cloned();
    let mut attributes: Vec<_> = given
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
