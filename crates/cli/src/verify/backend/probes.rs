//! Questions whose answers show which API a server has.

use serde_json::Value;

use super::address::System;
use super::odv_json;

/// An API for traces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    Viewer,
    Jaeger3,
    JaegerOlder,
    Tempo,
    Zipkin,
    Phoenix,
    DesktopViewer,
}

impl Version {
    /// The backend that has this API.
    pub(super) fn system(self) -> System {
        match self {
            Version::Viewer => System::Viewer,
            Version::Jaeger3 | Version::JaegerOlder => System::Jaeger,
            Version::Tempo => System::Tempo,
            Version::Zipkin => System::Zipkin,
            Version::Phoenix => System::Phoenix,
            Version::DesktopViewer => System::DesktopViewer,
        }
    }
}

/// A question whose answer shows which API a server has.
pub(super) struct Probe {
    pub(super) version: Version,
    /// What follows the address, if it lacks that.
    pub(super) below: &'static str,
    pub(super) path: &'static str,
    /// The JSON that is sent by POST; a question without it is a GET.
    pub(super) post: Option<&'static str>,
    pub(super) shows: fn(&[u8]) -> bool,
}

const fn get(version: Version, path: &'static str, shows: fn(&[u8]) -> bool) -> Probe {
    Probe {
        version,
        below: "",
        path,
        post: None,
        shows,
    }
}

/// All questions, in their order.
pub(super) const PROBES: [Probe; 8] = [
    get(Version::Viewer, "/api/counts", is_viewer),
    Probe {
        below: "/traces",
        ..get(Version::Viewer, "/api/counts", is_viewer)
    },
    get(Version::Jaeger3, "/api/v3/services", is_jaeger_3),
    get(Version::JaegerOlder, "/api/services", is_older_jaeger),
    get(Version::Tempo, "/api/echo", is_tempo),
    get(Version::Zipkin, "/api/v2/services", is_zipkin),
    get(Version::Phoenix, "/v1/projects", is_phoenix),
    Probe {
        post: Some(odv_json::STATISTICS),
        ..get(
            Version::DesktopViewer,
            odv_json::PATH,
            odv_json::is_statistics,
        )
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
