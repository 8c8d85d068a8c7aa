//! The rules of leaves and steps that the registry has in words only.

use opentelemetry_proto::tonic::trace::v1::{Span, status::StatusCode};

use super::check::{Attributes, code, text};

/// Whether an attribute is required on a leaf's span, if the span shows whether its condition holds.
pub(super) fn condition(name: &str, span: &Span, attributes: &Attributes<'_>) -> Option<bool> {
    let failed = code(span) == StatusCode::Error;
    match name {
        // Elasticsearch has it whenever there was a response.
        "db.response.status_code" if text(attributes, "db.system.name") == "elasticsearch" => {
            Some(true)
        }
        "error.type" | "db.response.status_code" => Some(failed),
        "rpc.method_original" => Some(false),
        _ => None,
    }
}

/// Database spans, "Name", and RPC spans, "Name".
pub(super) fn name(span: &Span, attributes: &Attributes<'_>) -> Option<String> {
    let of = |name| text(attributes, name);
    let operation = format!("{} {}", of("db.operation.name"), of("db.collection.name"));
    let summary = of("db.query.summary");
    let name = match (of("rpc.method"), summary) {
        ("", "") => operation.trim_end(),
        ("", summary) => summary,
        (method, _) => method,
    };
    (span.name != name).then(|| format!("its name is '{}', not '{name}'", span.name))
}

/// Recording errors: the code is the error's type, and explains it.
pub(super) fn status(span: &Span, attributes: &Attributes<'_>) -> Option<String> {
    let error = text(attributes, "error.type");
    let codes = ["db.response.status_code", "rpc.response.status_code"];
    let named = codes.map(|name| text(attributes, name)).concat();
    let failed = code(span) == StatusCode::Error;
    let fits = failed != error.is_empty() && (!failed || named == error);
    let described = span
        .status
        .as_ref()
        .is_some_and(|status| !status.message.is_empty());
    (!fits || described).then(|| format!("its status does not fit '{error}' and '{named}'"))
}

/// Whether an INTERNAL span is a step: `docs/telemetry.md`, "Steps".
pub(super) fn is_step(span: &Span, attributes: &Attributes<'_>) -> bool {
    let fixed = ["simulate latency", "merge"].contains(&&span.name[..]);
    let known = |name: &&str| {
        ["error.type", "tracing_tail.reason"].contains(name)
            || name.starts_with("tracing_tail.work.attribute.")
    };
    let fits = (code(span) == StatusCode::Error) == attributes.contains_key("error.type");
    !fixed && fits && attributes.keys().all(known)
}
