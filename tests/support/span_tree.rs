//! Spans as a tree of text, without what differs from run to run.

use std::fmt::Write as _;

use super::SpanRecord;

/// Draws the spans below their parents, in the order of their start. Each line has the span's
/// kind, name, service, attributes and status; its events follow. `noise` is replaced.
pub fn render(spans: &[SpanRecord], noise: &[(&str, &str)]) -> String {
    let mut spans: Vec<&SpanRecord> = spans.iter().collect();
    spans.sort_by_key(|span| (span.start, std::cmp::Reverse(span.end)));
    let mut text = String::new();
    let known = |id: &str| spans.iter().any(|span| span.id == id);
    for root in spans.iter().filter(|span| !known(&span.parent)) {
        draw(root, &spans, 0, &mut text);
    }
    noise
        .iter()
        .fold(text, |text, (found, shown)| text.replace(found, shown))
}

fn draw(span: &SpanRecord, spans: &[&SpanRecord], depth: usize, text: &mut String) {
    let indent = "  ".repeat(depth);
    writeln!(
        text,
        "{indent}{} {} @{}",
        span.kind, span.name, span.service
    )
    .unwrap();
    for (key, value) in &span.attributes {
        // A client's port is as random as an id.
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
        draw(child, spans, depth + 1, text);
    }
}
