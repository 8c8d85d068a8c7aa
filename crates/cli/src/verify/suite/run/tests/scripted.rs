//! A receiver of OTLP that answers as the viewer does, with one fault.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::ResourceSpans;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use prost::Message as _;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// What is wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    None,
    Refuses,
    Busy,
    RefusesConsumers,
    LosesConsumers,
    LosesAll,
    AnswersNoJson,
}

#[derive(Debug)]
struct Store {
    fault: Fault,
    exports: Mutex<Vec<ResourceSpans>>,
    posts: Mutex<usize>,
}

/// Stops when it is dropped.
pub(super) struct Scripted {
    pub(super) url: String,
    store: Arc<Store>,
    task: JoinHandle<()>,
}

impl Scripted {
    pub(super) async fn start(fault: Fault) -> Scripted {
        let store = Arc::new(Store {
            fault,
            exports: Mutex::default(),
            posts: Mutex::default(),
        });
        let counts = r#"{"traces":0,"spans":0,"duplicates":0}"#;
        let app = Router::new()
            .route("/v1/traces", post(receive))
            .route("/api/counts", get(async move || counts))
            .route("/api/traces/{id}/otlp", get(answer))
            .with_state(Arc::clone(&store));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Scripted { url, store, task }
    }

    /// How many exports it was sent.
    pub(super) fn exports(&self) -> usize {
        *self.store.posts.lock().unwrap()
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn receive(State(store): State<Arc<Store>>, body: Bytes) -> Response {
    *store.posts.lock().unwrap() += 1;
    let request = ExportTraceServiceRequest::decode(body).unwrap();
    let is_consumer = |kind: i32| kind == SpanKind::Consumer as i32;
    let mut exports = request.resource_spans;
    let scopes = exports.iter().flat_map(|export| &export.scope_spans);
    let has_consumers = scopes
        .flat_map(|scope| &scope.spans)
        .any(|span| is_consumer(span.kind));
    match store.fault {
        Fault::Refuses => return (StatusCode::BAD_REQUEST, "no spans today").into_response(),
        Fault::RefusesConsumers if has_consumers => {
            return (StatusCode::BAD_REQUEST, "no consumers").into_response();
        }
        Fault::Busy => return (StatusCode::SERVICE_UNAVAILABLE, "later").into_response(),
        Fault::LosesAll => exports.clear(),
        Fault::LosesConsumers => {
            let scopes = exports
                .iter_mut()
                .flat_map(|export| &mut export.scope_spans);
            for scope in scopes {
                scope.spans.retain(|span| !is_consumer(span.kind));
            }
        }
        Fault::None | Fault::RefusesConsumers | Fault::AnswersNoJson => {}
    }
    store.exports.lock().unwrap().extend(exports);
    StatusCode::OK.into_response()
}

async fn answer(State(store): State<Arc<Store>>, Path(id): Path<String>) -> Response {
    if store.fault == Fault::AnswersNoJson {
        return "{".into_response();
    }
    let mut exports = store.exports.lock().unwrap().clone();
    for export in &mut exports {
        for scope in &mut export.scope_spans {
            let is_wanted = |trace: &[u8]| {
                let digits = trace.iter().map(|byte| format!("{byte:02x}"));
                digits.collect::<String>() == id
            };
            scope.spans.retain(|span| is_wanted(&span.trace_id));
        }
        export.scope_spans.retain(|scope| !scope.spans.is_empty());
    }
    exports.retain(|export| !export.scope_spans.is_empty());
    match exports.is_empty() {
        true => StatusCode::NOT_FOUND.into_response(),
        false => {
            let export = ExportTraceServiceRequest {
                resource_spans: exports,
            };
            serde_json::to_string(&export).unwrap().into_response()
        }
    }
}
