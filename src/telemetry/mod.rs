//! Tracing: the context that comes in and goes out, the spans, and their way to the collector.
//!
//! - [`context`]: W3C Trace Context and Baggage in headers
//! - [`tracestate`] and [`baggage`]: their lists
//! - [`spans`]: names, attributes and events of each span
//! - [`buffer`] and [`queue`]: the span processor that gathers ended spans into batches
//! - [`export`]: OTLP over the host's outbound HTTP

pub mod baggage;
pub mod buffer;
pub mod context;
pub mod export;
pub mod queue;
pub mod spans;
pub mod tracestate;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::resource::TelemetryResourceDetector;
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider};
use opentelemetry_semantic_conventions::{SCHEMA_URL, attribute as semconv};

use crate::config::Config;
use crate::host::World;

/// Makes the tracer whose spans go to `config.otlp_endpoint`; nowhere where that is none.
pub fn tracer<W: World>(world: W, config: &Config) -> SdkTracer {
    let resource = resource(&config.name);
    let mut provider = SdkTracerProvider::builder()
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::AlwaysOn)))
        .with_resource(resource.clone());
    if let Some(endpoint) = &config.otlp_endpoint {
        let exporter = export::Exporter::new(world.clone(), endpoint, &resource);
        let queue = queue::Queue::new(world, exporter, config.batching);
        provider = provider.with_span_processor(queue);
    }
    provider.build().tracer_with_scope(
        InstrumentationScope::builder(env!("CARGO_PKG_NAME"))
            .with_version(env!("CARGO_PKG_VERSION"))
            .with_schema_url(SCHEMA_URL)
            .build(),
    )
}

fn resource(name: &str) -> Resource {
    let service = [
        KeyValue::new(semconv::SERVICE_NAME, name.to_owned()),
        KeyValue::new(semconv::SERVICE_VERSION, env!("CARGO_PKG_VERSION")),
    ];
    Resource::builder_empty()
        .with_detector(Box::new(TelemetryResourceDetector))
        .with_schema_url(service, SCHEMA_URL)
        .build()
}
