//! Finds out which API a server has, and asks it for traces.

use std::fmt;

use bytes::Bytes;
use opentelemetry::trace::TraceId;

use super::super::limits::Limits;
use super::super::span::Span;
use super::address::System;
use super::otlp_json::Export;
use super::probes::{PROBES, Version};
use super::problem::Problem;
use super::server::{Body, JSON, PROTOBUF, Reply, Server};
use super::{jaeger_json, kept, odv_json, otlp_json, otlp_proto, phoenix_json, zipkin_json};

/// What Go's router answers for a path that it does not have.
const NO_SUCH_PATH: &[u8] = b"404 page not found";

/// A server whose API is known.
#[derive(Debug)]
pub(super) struct Api {
    server: Server,
    version: Version,
}

impl fmt::Display for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.version.system(), self.server.base())
    }
}

/// Finds out which API a server has; only those of `system` are tried, if it is given.
///
/// # Errors
/// There is no answer, or none that shows which API it is.
pub(super) async fn connect(server: Server, system: Option<System>) -> Result<Api, Problem> {
    let mut first_problem = None;
    let tried = |version: Version| system.is_none_or(|system| system == version.system());
    for probe in PROBES.iter().filter(|probe| tried(probe.version)) {
        let server = server.below(probe.below);
        let response = match probe.post {
            None => server.send(probe.path, JSON).await?,
            Some(question) => server.send_json(probe.path, Bytes::from(question)).await?,
        };
        match server.classify(response) {
            Ok(Reply::Found(body)) if (probe.shows)(&body.bytes) => {
                let version = probe.version;
                return Ok(Api { server, version });
            }
            Ok(_) => {}
            // Other servers may refuse POST.
            Err(_) if probe.post.is_some() && system.is_none() => {}
            Err(problem) => {
                first_problem.get_or_insert(problem);
            }
        }
    }
    Err(first_problem.unwrap_or_else(|| server.name(unknown(system))))
}

fn unknown(system: Option<System>) -> Problem {
    let paths = PROBES
        .iter()
        .filter(|probe| system.is_none_or(|system| system == probe.version.system()))
        .map(|probe| [probe.below, probe.path].concat());
    let paths = paths.collect::<Vec<_>>().join(", ");
    let names = match system {
        Some(system) => system.to_string(),
        None => "the viewer, Jaeger, Tempo, Zipkin, Phoenix or otel-desktop-viewer".to_owned(),
    };
    Problem::lasting(format!(
        "is not {names}, as far as its answers to {paths} show: give the address of the query API"
    ))
}

impl Api {
    /// The spans of a trace; none if the server does not have it.
    ///
    /// # Errors
    /// The trace can't be judged.
    pub(super) async fn trace(&self, id: TraceId) -> Result<Vec<Span>, Problem> {
        let server = &self.server;
        let path = match self.version {
            Version::Viewer => format!("/api/traces/{id}/otlp"),
            // Without adjustments of clocks and without removing doubles; the name has changed.
            Version::Jaeger3 => format!("/api/v3/traces/{id}?rawTraces=true&raw_traces=true"),
            Version::JaegerOlder => format!("/api/traces/{id}?raw=true"),
            Version::Tempo => return self.tempo_trace(id).await,
            Version::Zipkin => format!("/api/v2/trace/{id}"),
            Version::Phoenix => return self.phoenix_trace(id).await,
            Version::DesktopViewer => return self.desktop_viewer_trace(id).await,
        };
        let Reply::Found(body) = server.get(&path, JSON).await? else {
            return Ok(Vec::new());
        };
        match self.version {
            Version::JaegerOlder => server.read(body, jaeger_json::read).await,
            Version::Zipkin => server.read(body, zipkin_json::read).await,
            _ => Ok(server.read(body, otlp_json::read).await?.spans),
        }
    }

    /// The newer API of Tempo says whether a trace is complete. Versions before 2.7 lack it.
    async fn tempo_trace(&self, id: TraceId) -> Result<Vec<Span>, Problem> {
        let newer = format!("/api/v2/traces/{id}");
        let export = match self.server.get(&newer, PROTOBUF).await? {
            Reply::Found(body) => self.read_tempo(body, otlp_proto::read_response).await?,
            Reply::NotFound(text) if is_no_such_path(&text) => {
                let older = format!("/api/traces/{id}");
                match self.server.get(&older, PROTOBUF).await? {
                    Reply::Found(body) => self.read_tempo(body, otlp_proto::read_trace).await?,
                    Reply::NotFound(_) => Export::default(),
                }
            }
            Reply::NotFound(_) => Export::default(),
        };
        match export.partial {
            None => Ok(export.spans),
            Some(message) => {
                let message =
                    format!("says that its answer about trace {id} is partial: {message}");
                Err(self.server.name(Problem::lasting(message)))
            }
        }
    }

    /// Phoenix answers in pages.
    async fn phoenix_trace(&self, id: TraceId) -> Result<Vec<Span>, Problem> {
        let mut spans = Vec::new();
        let mut cursor = None;
        loop {
            let question = phoenix_json::question(id, cursor.as_deref());
            let page = self.ask(phoenix_json::PATH, question, phoenix_json::read);
            let page = page.await?.unwrap_or_default();
            spans.extend(page.spans.into_iter().map(|span| Span {
                trace_id: id,
                ..span
            }));
            match page.next {
                Some(next) if cursor.as_ref() != Some(&next) => cursor = Some(next),
                _ => return Ok(spans),
            }
        }
    }

    /// otel-desktop-viewer shows the spans below a root or below a parent that it does not have. It counts all of them:
    /// those of a circle are there, but not shown.
    async fn desktop_viewer_trace(&self, id: TraceId) -> Result<Vec<Span>, Problem> {
        let path = odv_json::PATH;
        let spans = self.ask(path, odv_json::spans_question(id), odv_json::read_spans);
        let spans = spans.await?.unwrap_or_default();
        let count = self.ask(path, odv_json::count_question(id), odv_json::read_count);
        let count = count.await?.unwrap_or_default();
        match spans.len() {
            shown if shown < count => Err(self.server.name(Problem::transient(format!(
                "counts {count} spans of trace {id}, but shows {shown}"
            )))),
            _ => Ok(spans),
        }
    }

    /// Sends a question by POST, and reads the answer; `None` if the path is not there.
    async fn ask<T: Send + 'static>(
        &self,
        path: &str,
        question: Bytes,
        read: fn(&[u8]) -> Result<T, String>,
    ) -> Result<Option<T>, Problem> {
        let answer = self.server.send_json(path, question).await?;
        match self.server.classify(answer)? {
            Reply::Found(body) => self.server.read(body, read).await.map(Some),
            Reply::NotFound(_) => Ok(None),
        }
    }

    /// A proxy may answer with JSON, whatever was asked for.
    async fn read_tempo(
        &self,
        body: Body,
        protobuf: fn(&[u8]) -> Result<Export, String>,
    ) -> Result<Export, Problem> {
        let read = match body.is_json {
            true => otlp_json::read,
            false => protobuf,
        };
        self.server.read(body, read).await
    }

    /// What it by its nature does not keep.
    pub(super) fn limits(&self) -> Limits {
        match self.version {
            Version::Viewer => kept::VIEWER,
            Version::Jaeger3 => kept::JAEGER,
            Version::JaegerOlder => kept::JAEGER_OLDER,
            Version::Tempo => kept::TEMPO,
            Version::Zipkin => kept::ZIPKIN,
            Version::Phoenix => kept::PHOENIX,
            Version::DesktopViewer => kept::DESKTOP_VIEWER,
        }
    }

    /// The trace's link in its own page. Tempo has no page, and those of Phoenix have ids of its own.
    pub(super) fn page(&self, id: TraceId) -> Option<String> {
        let base = self.server.base();
        match self.version {
            Version::Viewer => Some(format!("{base}/#/trace/{id}")),
            Version::Jaeger3 | Version::JaegerOlder => Some(format!("{base}/trace/{id}")),
            Version::Tempo | Version::Phoenix => None,
            Version::DesktopViewer => Some(format!("{base}/traces/{id}")),
            Version::Zipkin => {
                let base = base.strip_suffix("/zipkin").unwrap_or(base);
                Some(format!("{base}/zipkin/traces/{id}"))
            }
        }
    }
}

fn is_no_such_path(text: &Bytes) -> bool {
    text.trim_ascii() == NO_SUCH_PATH
}
