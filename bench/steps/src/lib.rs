//! The steps of a request, natively and without a network: for `cargo bench`, and for counting
//! instructions. A host that does nothing takes the place of WASI.

use std::cell::RefCell;
use std::hint::black_box;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use futures::executor::block_on;
use http::{Request, Response, StatusCode, request};
use http_body_util::Full;
use opentelemetry_sdk::trace::SdkTracer;
use tracing_tail::Service;
use tracing_tail::clock::Clock;
use tracing_tail::inbound::origin::Origin;
use tracing_tail::instrument::{Inbound, RequestSpan};
use tracing_tail::payload::Payload;
use tracing_tail::response::respond;
use tracing_tail::settings::{Config, Problems, Values};
use tracing_tail::telemetry::Telemetry;
use tracing_tail::telemetry::propagation::{Caller, Propagators};
use tracing_tail::wasi::{Runtime, SendError};

/// The requests that an instance serves, and so the most spans of a batch.
pub const REQUESTS: usize = 128;

const BODY: &[u8] = br#"["item1","item2"]"#;

/// Variables, as the manifest maps them.
type Variables = &'static [(&'static str, &'static str)];

const DISABLED: Variables = &[("otel_sdk_disabled", "true")];
const NEVER: Variables = &[("otel_traces_sampler", "always_off")];
const ALWAYS: Variables = &[];

/// A step of a request.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// Its name.
    pub name: &'static str,
    /// Takes it, so often, after what it needs has been made once.
    pub take: fn(usize),
}

/// Every step; then whole requests, each of which does more than the one before; then what the first
/// request to an instance does besides.
pub const STEPS: [Step; 9] = [
    Step {
        name: "read the trace context",
        take: read_context,
    },
    Step {
        name: "read the list, append, write it",
        take: json,
    },
    Step {
        name: "SERVER span, not sampled",
        take: |times| server_span(NEVER, times),
    },
    Step {
        name: "SERVER span, sampled and queued",
        take: |times| server_span(ALWAYS, times),
    },
    Step {
        name: "make the answer",
        take: answer,
    },
    Step {
        name: "request, OTEL_SDK_DISABLED",
        take: |times| requests(DISABLED, times),
    },
    Step {
        name: "request, always_off",
        take: |times| requests(NEVER, times),
    },
    Step {
        name: "request, exported",
        take: |times| requests(ALWAYS, times),
    },
    Step {
        name: "settings and tracer of an instance",
        take: start,
    },
];

fn read_context(times: usize) {
    let (head, _) = head();
    let propagators = Propagators::default();
    for _ in 0..times {
        black_box(propagators.extract(black_box(&head.headers)));
    }
}

fn json(times: usize) {
    for _ in 0..times {
        let mut payload = list();
        payload.append("tracing-tail");
        black_box(payload.to_json());
    }
}

fn server_span(variables: Variables, times: usize) {
    let tracer = tracer_with(variables);
    let (head, caller) = head();
    let outcome = Ok(list());
    let propagators = Propagators::default();
    for _ in 0..times {
        let mut span = RequestSpan::open((&tracer, &propagators), &inbound(&head), caller.clone());
        span.processing_started(2);
        span.end(StatusCode::OK, &outcome);
    }
}

fn inbound(head: &request::Parts) -> Inbound<'_> {
    Inbound {
        head,
        route: Some("/process".into()),
        origin: Origin::of(head, false),
        known_methods: "",
        clock: Clock::start(),
        is_reported: false,
        faults: None,
    }
}

fn answer(times: usize) {
    let (head, caller) = head();
    let tracer = tracer_with(ALWAYS);
    let propagators = Propagators::default();
    let span = RequestSpan::open((&tracer, &propagators), &inbound(&head), caller).to_ref();
    let outcome = Ok(list());
    for _ in 0..times {
        let mut response = respond(&outcome, None, span.trace_id());
        span.inject_response(&propagators, response.headers_mut());
        black_box(response);
    }
}

/// Requests as instances serve them, with an export after each [`REQUESTS`].
fn requests(variables: Variables, times: usize) {
    for served in 0..times.div_ceil(REQUESTS) {
        let service = Service::start(Idle(variables), &values(variables));
        for _ in 0..REQUESTS.min(times - served * REQUESTS) {
            black_box(block_on(
                service.handle(request().map(Full::new), Clock::start()),
            ));
        }
        run_tasks();
    }
}

fn start(times: usize) {
    for _ in 0..times {
        black_box(Service::start(Idle(ALWAYS), &values(ALWAYS)));
    }
}

fn list() -> Payload {
    Payload::accept(black_box(BODY)).expect("it is a list of strings")
}

/// A request as Spin hands it on.
pub fn request() -> Request<Bytes> {
    let request = Request::post("http://127.0.0.1:3000/process")
        .header("host", "127.0.0.1:3000")
        .header("user-agent", "oha/1.16.0")
        .header("content-type", "application/json")
        .header("content-length", BODY.len())
        .header(
            "traceparent",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03",
        )
        .header("spin-full-url", "http://127.0.0.1:3000/process")
        .header("spin-path-info", "/process")
        .header("spin-component-route", "")
        .header("spin-client-addr", "127.0.0.1:54321");
    let request = request.body(Bytes::from_static(BODY));
    request.expect("it is well-formed")
}

/// Its head, and what its headers say of the caller.
fn head() -> (request::Parts, Caller) {
    let (head, _) = request().into_parts();
    let caller = Propagators::default().extract(&head.headers);
    (head, caller)
}

fn values(variables: Variables) -> Values {
    block_on(Values::for_instance(&Idle(variables)))
}

fn tracer_with(variables: Variables) -> SdkTracer {
    let (config, problems) = Config::read(&values(variables));
    assert_eq!(problems, Problems::default());
    Telemetry::start(Idle(variables), &config).tracer
}

/// A host that has only variables. It takes every export, and never waits.
#[derive(Debug, Clone, Copy)]
struct Idle(Variables);

thread_local! {
    static TASKS: RefCell<Vec<Pin<Box<dyn Future<Output = ()>>>>> = RefCell::default();
}

fn run_tasks() {
    let tasks = TASKS.take();
    tasks.into_iter().for_each(block_on);
}

impl Runtime for Idle {
    const REUSED: bool = true;

    async fn variable(&self, name: &str) -> Result<Option<String>, String> {
        let found = self.0.iter().find(|(known, _)| *known == name);
        Ok(found.map(|(_, value)| (*value).to_owned()))
    }

    async fn send(
        &self,
        request: Request<Bytes>,
        _timeout: Duration,
    ) -> Result<Response<Bytes>, SendError> {
        black_box(request);
        Ok(Response::new(Bytes::new()))
    }

    fn random(&self) -> u64 {
        0x9e37_79b9_7f4a_7c15
    }

    async fn sleep(&self, _duration: Duration) {}

    fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        TASKS.with_borrow_mut(|tasks| tasks.push(Box::pin(task)));
    }
}
