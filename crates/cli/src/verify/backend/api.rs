//! Finds out which API a server has, and asks it for traces.

use std::fmt;

use bytes::Bytes;
use opentelemetry::trace::TraceId;
use serde_json::Value;

use super::super::limits::Limits;
use super::super::span::Span;
use super::address::System;
use super::otlp_json::Export;
use super::problem::Problem;
use super::server::{Body, JSON, PROTOBUF, Reply, Server};
use super::{jaeger_json, kept, otlp_json, otlp_proto, phoenix_json, zipkin_json};

/// What Go's router answers for a path that it does not have.
const NO_SUCH_PATH: &[u8] = b"404 page not found";

/// A server whose API is known.
#[derive(Debug)]
pub(super) struct Api {
    server: Server,
    version: Version,
}

/// An API for traces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    Viewer,
    Jaeger3,
    JaegerOlder,
    Tempo,
    Zipkin,
    Phoenix,
}

impl Version {
    fn system(self) -> System {
        match self {
            Version::Viewer => System::Viewer,
            Version::Jaeger3 | Version::JaegerOlder => System::Jaeger,
            Version::Tempo => System::Tempo,
            Version::Zipkin => System::Zipkin,
            Version::Phoenix => System::Phoenix,
        }
    }
}

impl fmt::Display for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.version.system(), self.server.base())
    }
}

/// A question whose answer shows which API a server has.
struct Probe {
    version: Version,
    /// What follows the address, if it lacks that.
    below: &'static str,
    path: &'static str,
    shows: fn(&[u8]) -> bool,
}

const PROBES: [Probe; 7] = [
    Probe {
        version: Version::Viewer,
        below: "",
        path: "/api/counts",
        shows: is_viewer,
    },
    Probe {
        version: Version::Viewer,
        below: "/traces",
        path: "/api/counts",
        shows: is_viewer,
    },
    Probe {
        version: Version::Jaeger3,
        below: "",
        path: "/api/v3/services",
        shows: is_jaeger_3,
    },
    Probe {
        version: Version::JaegerOlder,
        below: "",
        path: "/api/services",
        shows: is_older_jaeger,
    },
    Probe {
        version: Version::Tempo,
        below: "",
        path: "/api/echo",
        shows: is_tempo,
    },
    Probe {
        version: Version::Zipkin,
        below: "",
        path: "/api/v2/services",
        shows: is_zipkin,
    },
    Probe {
        version: Version::Phoenix,
        below: "",
        path: "/v1/projects",
        shows: is_phoenix,
    },
];

fn is_viewer(body: &[u8]) -> bool {
    let counts = serde_json::from_slice::<Value>(body).unwrap_or_default();
    ["traces", "spans", "duplicates"]
        .iter()
        .all(|name| counts.get(name).is_some_and(Value::is_number))
}

/// A list of services, which protobuf leaves out if it is empty.
fn is_jaeger_3(body: &[u8]) -> bool {
    match serde_json::from_slice(body) {
        Ok(Value::Object(answer)) => answer
            .get("services")
            .map_or(answer.is_empty(), Value::is_array),
        _ => false,
    }
}

fn is_older_jaeger(body: &[u8]) -> bool {
    let answer = serde_json::from_slice::<Value>(body).unwrap_or_default();
    let data = answer.get("data");
    data.is_some_and(|data| data.is_array() || data.is_null()) && answer.get("total").is_some()
}

fn is_tempo(body: &[u8]) -> bool {
    body.trim_ascii() == b"echo"
}

fn is_zipkin(body: &[u8]) -> bool {
    serde_json::from_slice::<Vec<String>>(body).is_ok()
}

fn is_phoenix(body: &[u8]) -> bool {
    let answer = serde_json::from_slice::<Value>(body).unwrap_or_default();
    answer.get("data").is_some_and(Value::is_array) && answer.get("next_cursor").is_some()
}

/// Finds out which API a server has; only those of `system` are tried, if it is given.
///
/// # Errors
/// There is no answer, or none that shows which API it is.
pub(super) async fn connect(server: Server, system: Option<System>) -> Result<Api, Problem> {
    let tried = |probe: &&Probe| system.is_none_or(|system| system == probe.version.system());
    let mut first_problem = None;
    for probe in PROBES.iter().filter(tried) {
        let server = server.below(probe.below);
        let response = server.send(probe.path, JSON).await?;
        match server.classify(response) {
            Ok(Reply::Found(body)) if (probe.shows)(&body.bytes) => {
                let version = probe.version;
                return Ok(Api { server, version });
            }
            Ok(_) => {}
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
        None => "the viewer, Jaeger, Tempo, Zipkin or Phoenix".to_owned(),
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
            let path = phoenix_json::path(id, cursor.as_deref());
            let Reply::Found(body) = self.server.get(&path, JSON).await? else {
                return Ok(spans);
            };
            let page = self.server.read(body, phoenix_json::read).await?;
            spans.extend(page.spans);
            match page.next {
                Some(next) if cursor.as_ref() != Some(&next) => cursor = Some(next),
                _ => return Ok(spans),
            }
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
        }
    }

    /// The trace's link in its own page. Tempo has no page, and those of Phoenix have ids of its own.
    pub(super) fn page(&self, id: TraceId) -> Option<String> {
        let base = self.server.base();
        match self.version {
            Version::Viewer => Some(format!("{base}/#/trace/{id}")),
            Version::Jaeger3 | Version::JaegerOlder => Some(format!("{base}/trace/{id}")),
            Version::Tempo | Version::Phoenix => None,
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
