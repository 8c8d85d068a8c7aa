//! A pipeline between a service and a backend that treats spans badly, as a test tells it.
//!
//! It receives OTLP/HTTP as protobuf, hands every span to the test's function, and passes on what that leaves: to a file,
//! in the form of the OpenTelemetry Collector's file exporter, or over HTTP.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message as _;

use crate::server::Server;
use crate::span_record::{Export, texts};

/// One span on its way.
#[derive(Debug, Clone)]
pub struct Passing {
    /// `service.name` of its resource.
    pub service: String,
    /// The span.
    pub span: Span,
    resource: Resource,
    scope: InstrumentationScope,
}

impl Passing {
    /// Moves the span to another service.
    pub fn rename_service(&mut self, service: &str) {
        service.clone_into(&mut self.service);
        for pair in &mut self.resource.attributes {
            if pair.key == "service.name" {
                pair.value = Some(AnyValue {
                    value: Some(Value::StringValue(service.to_owned())),
                });
            }
        }
    }
}

/// Where spans go.
#[derive(Debug, Clone)]
pub enum Destination {
    /// One line of JSON for each export, appended.
    File(PathBuf),
    /// OTLP/HTTP as protobuf.
    Url(String),
}

type Tamper = dyn FnMut(&mut Vec<Passing>) + Send;

struct Shared {
    tamper: Mutex<Box<Tamper>>,
    destination: Destination,
    delay: Duration,
}

/// A middle man on a port of its own. It stops when this is dropped.
#[derive(Debug)]
pub struct MiddleMan {
    server: Server,
}

impl MiddleMan {
    /// Starts one that applies `tamper` to the spans of each export, and passes them on after `delay`.
    pub async fn start(
        destination: Destination,
        delay: Duration,
        tamper: impl FnMut(&mut Vec<Passing>) + Send + 'static,
    ) -> MiddleMan {
        let shared = Shared {
            tamper: Mutex::new(Box::new(tamper)),
            destination,
            delay,
        };
        let router = Router::new()
            .route("/v1/traces", post(receive))
            .with_state(Arc::new(shared));
        let server = Server::start("127.0.0.1", router).await.unwrap();
        MiddleMan { server }
    }

    /// The value of OTLP_ENDPOINT.
    pub fn endpoint(&self) -> String {
        format!("http://{}/v1/traces", self.server.address())
    }
}

async fn receive(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let mut spans = passing(Export::decode(headers, &body).unwrap().request);
    (shared.tamper.lock().unwrap())(&mut spans);
    let request = export(spans);
    tokio::spawn(async move {
        tokio::time::sleep(shared.delay).await;
        shared.pass_on(request).await;
    });
    StatusCode::OK
}

fn passing(request: ExportTraceServiceRequest) -> Vec<Passing> {
    let mut spans = Vec::new();
    for group in request.resource_spans {
        let resource = group.resource.unwrap_or_default();
        let service = texts(&resource.attributes)["service.name"].clone();
        for scoped in group.scope_spans {
            let scope = scoped.scope.unwrap_or_default();
            spans.extend(scoped.spans.into_iter().map(|span| Passing {
                service: service.clone(),
                span,
                resource: resource.clone(),
                scope: scope.clone(),
            }));
        }
    }
    spans
}

fn export(spans: Vec<Passing>) -> ExportTraceServiceRequest {
    let groups = spans.into_iter().map(|passing| ResourceSpans {
        resource: Some(passing.resource),
        scope_spans: vec![ScopeSpans {
            scope: Some(passing.scope),
            spans: vec![passing.span],
            ..ScopeSpans::default()
        }],
        ..ResourceSpans::default()
    });
    ExportTraceServiceRequest {
        resource_spans: groups.collect(),
    }
}

impl Shared {
    async fn pass_on(&self, request: ExportTraceServiceRequest) {
        match &self.destination {
            Destination::File(path) => {
                let mut line = serde_json::to_vec(&request).unwrap();
                line.push(b'\n');
                let mut file = OpenOptions::new();
                let mut file = file.create(true).append(true).open(path).unwrap();
                file.write_all(&line).unwrap();
            }
            Destination::Url(url) => {
                let sent = reqwest::Client::new()
                    .post(url)
                    .header("content-type", "application/x-protobuf")
                    .body(request.encode_to_vec())
                    .send();
                sent.await.unwrap().error_for_status().unwrap();
            }
        }
    }
}
