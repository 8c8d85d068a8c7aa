//! What a body that is not an export of traces looks like. Each hint ends the sentence of a refusal.

use crate::otlp::wire::{self, Wire};

/// A hint for a body that is not JSON.
pub fn for_invalid_json(body: &[u8]) -> &'static str {
    match body {
        [] => ": the body is empty",
        [0x1f, 0x8b, ..] => GZIP,
        _ if body.iter().take(64).any(|byte| *byte < b'\t') => {
            ": it looks like protobuf, whose content-type is application/x-protobuf"
        }
        _ => "",
    }
}

/// A hint for a body that is not protobuf.
pub fn for_invalid_protobuf(body: &[u8]) -> &'static str {
    match body.trim_ascii_start() {
        [b'{' | b'[', ..] => ": it looks like JSON, whose content-type is application/json",
        [0x1f, 0x8b, ..] => GZIP,
        _ => "",
    }
}

const GZIP: &str = ": it looks like gzip, whose content-encoding is gzip";

/// A hint for an unknown field in JSON.
pub fn for_unknown_field(name: &str) -> &'static str {
    match name {
        "resourceLogs" | "resource_logs" => ": these are logs, and only traces are taken here",
        "resourceMetrics" | "resource_metrics" => {
            ": these are metrics, and only traces are taken here"
        }
        "resourceProfiles" | "resource_profiles" => {
            ": these are profiles, and only traces are taken here"
        }
        "batches" | "trace" => {
            ": it looks like a trace from Tempo's API, which has resourceSpans by another name"
        }
        "data" => ": it looks like an answer of Jaeger's API, which is not OTLP",
        "instrumentationLibrarySpans" | "instrumentation_library_spans" => {
            ": it looks like OTLP before version 0.19"
        }
        _ if name.contains('_') => ": names of fields in OTLP as JSON are like resourceSpans",
        _ => "",
    }
}

/// The signal that a malformed span belongs to. Logs and metrics use the same field numbers as traces down to this level.
pub fn signal_of_span(message: &[u8]) -> Option<&'static str> {
    let mut rest = message;
    let (mut named, mut timed, mut measured) = (false, false, false);
    while let Ok(Some((number, value))) = wire::next(&mut rest) {
        match (number, value) {
            (1 | 11, Wire::Fixed64(_)) | (2, Wire::Varint(_)) | (8, Wire::Fixed32(_)) => {
                return Some("logs");
            }
            (7 | 10, Wire::Bytes(_)) => return Some("metrics"),
            (1, Wire::Bytes(name)) => {
                named = name.len() != 16 && std::str::from_utf8(name).is_ok();
            }
            (5 | 9 | 11, Wire::Bytes(_)) => measured = true,
            (7 | 8, _) => timed = true,
            _ => {}
        }
    }
    (named && measured && !timed).then_some("metrics")
}
