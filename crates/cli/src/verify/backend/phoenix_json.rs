//! Reads pages of Phoenix's API, `/v1/projects/{project}/spans/otlpv1`: spans as in OTLP, without resource and scope.

use opentelemetry::trace::TraceId;
use serde_json::{Value, json};

use super::super::span::Span;
use super::fields::Object;
use super::otlp_json;

/// The project of spans whose resource names none.
const PROJECT: &str = "default";
/// The number of spans of a page.
const PAGE: usize = 1000;

/// A page of spans.
#[derive(Debug, PartialEq)]
pub(super) struct Page {
    /// The spans.
    pub(super) spans: Vec<Span>,
    /// The cursor of the next page.
    pub(super) next: Option<String>,
}

/// The path of a page.
pub(super) fn path(id: TraceId, cursor: Option<&str>) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("trace_id", &id.to_string());
    query.append_pair("limit", &PAGE.to_string());
    if let Some(cursor) = cursor {
        query.append_pair("cursor", cursor);
    }
    format!("/v1/projects/{PROJECT}/spans/otlpv1?{}", query.finish())
}

/// Reads a page.
///
/// # Errors
/// A sentence that says what is malformed.
pub(super) fn read(bytes: &[u8]) -> Result<Page, String> {
    let answer: Value =
        serde_json::from_slice(bytes).map_err(|error| format!("it is not JSON: {error}"))?;
    let answer = Object::of(&answer, "the answer")?;
    if answer.get("data").is_none() {
        return Err("it is no page of Phoenix: it has no field 'data'".to_owned());
    }
    let next = answer.text("next_cursor")?;
    let document = json!({"resourceSpans": [{"scopeSpans": [{"spans": answer.list("data")?}]}]});
    let export = otlp_json::read(document.to_string().as_bytes())?;
    Ok(Page {
        spans: export.spans,
        next: Some(next.to_owned()).filter(|next| !next.is_empty()),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "test code")]
mod tests {
    use super::super::super::attribute::AttributeValue;
    use super::*;

    #[test]
    fn reads_a_page() {
        let page = json!({
            "data": [{
                "attributes": [{"key": "n", "value": {"bool_value": null, "int_value": 9_007_199_254_740_993_u64}}],
                "start_time_unix_nano": 1_795_969_367_135_396_864_u64,
                "end_time_unix_nano": 1_795_969_367_285_396_992_u64,
                "events": null,
                "flags": null,
                "kind": "SPAN_KIND_INTERNAL",
                "name": "größe",
                "parent_span_id": null,
                "span_id": "b18aa33b6b723b7e",
                "status": {"code": 0, "message": null},
                "trace_id": "7f6960f8dd4f02476260fe0c0f6c10e8",
                "trace_state": null,
            }],
            "next_cursor": "U3Bhbjox",
        });
        let page = read(page.to_string().as_bytes()).unwrap();
        assert_eq!(page.next.as_deref(), Some("U3Bhbjox"));
        let span = &page.spans[0];
        assert_eq!((span.name.as_str(), span.parent), ("größe", None));
        let number = AttributeValue::Int(9_007_199_254_740_993);
        assert_eq!(span.attributes.get("n"), Some(&number));
        assert_eq!(span.end - span.start, 150_000_128);
    }

    #[test]
    fn an_unknown_trace_is_an_empty_page_and_the_rest_is_refused() {
        let empty = read(br#"{"data":[],"next_cursor":null}"#).unwrap();
        assert_eq!((empty.spans.len(), empty.next), (0, None));
        for (text, expected) in [
            ("{}", "no field 'data'"),
            ("[]", "not an object"),
            ("{\"data\":[{}]}", "no trace id"),
            ("<html>", "not JSON"),
        ] {
            let error = read(text.as_bytes()).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn a_cursor_is_escaped() {
        let path = path(TraceId::from(31), Some("a=&b"));
        assert!(
            path.ends_with("00001f&limit=1000&cursor=a%3D%26b"),
            "{path}"
        );
    }
}
