//! Spans as a tree of text, without the ids and times that differ from run to run.

use std::fmt::Write as _;

use crate::span_record::SpanRecord;

/// Renders each span under its parent, in the order of their start: kind, name and service, then attributes, status
/// and events. Each first text of `replacements` is replaced by its second.
pub fn render(spans: &[SpanRecord], replacements: &[(&str, &str)]) -> String {
    let mut spans: Vec<&SpanRecord> = spans.iter().collect();
    spans.sort_by_key(|span| (span.start, std::cmp::Reverse(span.end)));
    let mut text = String::new();
    let known = |id: &str| spans.iter().any(|span| span.id == id);
    for root in spans.iter().filter(|span| !known(&span.parent)) {
        render_span(root, &spans, 0, &mut text);
    }
    replacements
        .iter()
        .fold(text, |text, (from, to)| text.replace(from, to))
}

fn render_span(span: &SpanRecord, spans: &[&SpanRecord], depth: usize, text: &mut String) {
    let indent = "  ".repeat(depth);
    writeln!(
        text,
        "{indent}{} {} @{}",
        span.kind, span.name, span.service
    )
    .unwrap();
    for (key, value) in &span.attributes {
        // The system picks a client's port.
        let value = if key == "network.peer.port" {
            "RANDOM"
        } else {
            value
        };
        writeln!(text, "{indent}  . {key}={value}").unwrap();
    }
    if let Some(status) = &span.status {
        writeln!(text, "{indent}  ! {status}").unwrap();
    }
    for (name, attributes) in &span.events {
        let attributes: Vec<_> = attributes
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        writeln!(text, "{indent}  * {name} {{{}}}", attributes.join(", ")).unwrap();
    }
    for child in spans.iter().filter(|child| child.parent == span.id) {
        render_span(child, spans, depth + 1, text);
    }
}
