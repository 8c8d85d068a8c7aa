//! What differs between a span as it was sent and as it is found. What a backend by its nature does not keep is not
//! counted.

use std::fmt;

use opentelemetry::trace::SpanId;

use crate::verify::attribute::{AttributeValue, Attributes};
use crate::verify::expected::{ExpectedLink, ExpectedSpan};
use crate::verify::limits::{AttributeTypes, Limits, Links, Part, ResourceAttributes};
use crate::verify::quote::{plain, quoted, quoted_pair};
use crate::verify::span::{Link, Span};

/// A field of a span that is not as it was sent. Values are ready to be shown: long ones are cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The field.
    pub field: Field,
    /// What was sent; `None` for nothing.
    pub expected: Option<String>,
    /// What was found; `None` for nothing.
    pub found: Option<String>,
}

/// A field of a span.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Field {
    /// The trace id.
    TraceId,
    /// The span id.
    SpanId,
    /// The parent span id.
    Parent,
    /// The kind.
    Kind,
    /// The name.
    Name,
    /// `service.name` of the resource.
    Service,
    /// The start time.
    Start,
    /// The end time.
    End,
    /// The status code.
    StatusCode,
    /// The status message.
    StatusMessage,
    /// The attribute with this key: its presence, its value or its type.
    Attribute(String),
    /// The number of events.
    Events,
    /// A link: its presence.
    Link,
    /// A link's attribute `tracing_tail.link`.
    LinkReason,
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Field::TraceId => "trace id",
            Field::SpanId => "span id",
            Field::Parent => "parent",
            Field::Kind => "kind",
            Field::Name => "name",
            Field::Service => "service",
            Field::Start => "start",
            Field::End => "end",
            Field::StatusCode => "status code",
            Field::StatusMessage => "status message",
            Field::Attribute(key) => return write!(f, "attribute {}", plain(key)),
            Field::Events => "event count",
            Field::Link => "link",
            Field::LinkReason => "link reason",
        };
        f.write_str(name)
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
        write!(
            f,
            "{}: expected {}, found {}",
            self.field,
            value(&self.expected),
            value(&self.found)
        )
    }
}

/// What differs. `parent` is the parent that must be found: the expected one, or the id that its span now has.
pub(super) fn differences(
    expected: &ExpectedSpan,
    parent: Option<SpanId>,
    found: &Span,
    limits: &Limits,
) -> Vec<Difference> {
    let mut list = Differences(Vec::new());
    list.shown(Field::TraceId, expected.trace_id, found.trace_id);
    list.shown(Field::SpanId, expected.span_id, found.span_id);
    if parent != found.parent {
        let ids = (expected.parent, found.parent);
        let shown = |id: Option<SpanId>| id.map(|id| id.to_string());
        list.push(Field::Parent, shown(ids.0), shown(ids.1));
    }
    if limits.shows(Part::Kind) {
        list.shown(Field::Kind, expected.kind, found.kind);
    }
    let name = limits.kept_name(&expected.name);
    let service = limits.kept_name(&expected.service);
    list.text(Field::Name, &name, &found.name);
    if limits.shows(Part::Resource) {
        list.text(Field::Service, &service, &found.service);
    }
    if !limits.same_start(expected.start, found.start) {
        list.shown(Field::Start, expected.start, found.start);
    }
    if !limits.same_end(expected.end, found.end) {
        list.shown(Field::End, expected.end, found.end);
    }
    let (status, found_status) = (&expected.status, &found.status);
    list.shown(Field::StatusCode, status.code, found_status.code);
    list.text(Field::StatusMessage, &status.message, &found_status.message);
    list.attributes(&expected.attributes, &found.attributes, limits);
    list.shown(Field::Events, expected.events, found.events.len());
    if limits.links != Links::Lost {
        list.links(&expected.links, &found.links, limits.links);
    }
    list.0
}

impl Limits {
    fn kept_name(&self, name: &str) -> String {
        if self.lower_case_names {
            name.to_lowercase()
        } else {
            name.to_owned()
        }
    }

    /// Cut or rounded to the unit.
    pub(super) fn same_start(&self, expected: u64, found: u64) -> bool {
        expected.abs_diff(found) < self.time_unit.max(1)
    }

    /// The end may be the sum of a start and a duration that are each cut or rounded.
    pub(super) fn same_end(&self, expected: u64, found: u64) -> bool {
        let unit = self.time_unit.max(1);
        let most = if unit == 1 { 1 } else { unit.saturating_mul(2) };
        expected.abs_diff(found) < most
    }
}

struct Differences(Vec<Difference>);

impl Differences {
    fn push(&mut self, field: Field, expected: Option<String>, found: Option<String>) {
        self.0.push(Difference {
            field,
            expected,
            found,
        });
    }

    fn shown<T: PartialEq + fmt::Display + Copy>(&mut self, field: Field, expected: T, found: T) {
        if expected != found {
            self.push(field, Some(expected.to_string()), Some(found.to_string()));
        }
    }

    fn text(&mut self, field: Field, expected: &str, found: &str) {
        if expected != found {
            let (one, other) = quoted_pair(expected, found);
            let present = |text: &str, shown: String| (!text.is_empty()).then_some(shown);
            self.push(field, present(expected, one), present(found, other));
        }
    }

    fn attributes(&mut self, expected: &Attributes, found: &Attributes, limits: &Limits) {
        for (key, value) in expected {
            let field = || Field::Attribute(key.clone());
            match found.get(key) {
                None => self.push(field(), Some(shown(value)), None),
                Some(other) if same_value(value, other, limits.attributes) => {}
                Some(other) => {
                    let (one, other) = shown_pair(value, other);
                    self.push(field(), Some(one), Some(other));
                }
            }
        }
        if limits.resource == ResourceAttributes::Mixed {
            return;
        }
        for (key, value) in found {
            if !expected.contains_key(key) {
                self.push(Field::Attribute(key.clone()), None, Some(shown(value)));
            }
        }
    }

    /// Links are compared without regard to their order.
    fn links(&mut self, expected: &[ExpectedLink], found: &[Link], links: Links) {
        let target = |one: &ExpectedLink, other: &Link| {
            (one.trace_id, one.span_id) == (other.trace_id, other.span_id)
        };
        let same = |one: &ExpectedLink, other: &Link| {
            let reason = links == Links::IdsOnly || other.reason() == Some(&one.reason);
            target(one, other) && reason
        };
        let mut rest: Vec<&Link> = found.iter().collect();
        let mut unmatched = Vec::new();
        for link in expected {
            match rest.iter().position(|other| same(link, other)) {
                Some(at) => drop(rest.swap_remove(at)),
                None => unmatched.push(link),
            }
        }
        for link in unmatched {
            let shown = format!("{} ({})", link.span_id, plain(&link.reason));
            match rest.iter().position(|other| target(link, other)) {
                Some(at) => {
                    let other = rest.swap_remove(at);
                    let reason = other.reason().map(quoted);
                    self.push(Field::LinkReason, Some(quoted(&link.reason)), reason);
                }
                None => self.push(Field::Link, Some(shown), None),
            }
        }
        for link in rest {
            self.push(Field::Link, None, Some(link.span_id.to_string()));
        }
    }
}

/// Whether a value is kept. As text, a number may be written differently.
fn same_value(expected: &AttributeValue, found: &AttributeValue, types: AttributeTypes) -> bool {
    if expected == found {
        return true;
    }
    if types == AttributeTypes::Kept {
        return false;
    }
    let found = found.to_string();
    match expected {
        AttributeValue::Double(value) => found
            .parse::<f64>()
            .is_ok_and(|found| found == *value || (found.is_nan() && value.is_nan())),
        other => other.to_string() == found,
    }
}

fn shown(value: &AttributeValue) -> String {
    match value {
        AttributeValue::String(text) => quoted(text),
        other => typed(other, &quoted(&other.to_string())),
    }
}

fn shown_pair(one: &AttributeValue, other: &AttributeValue) -> (String, String) {
    let (first, second) = quoted_pair(&one.to_string(), &other.to_string());
    if one.type_name() == other.type_name() && matches!(one, AttributeValue::String(_)) {
        return (first, second);
    }
    (typed(one, &first), typed(other, &second))
}

fn typed(value: &AttributeValue, quoted: &str) -> String {
    match value {
        AttributeValue::Empty => "empty".to_owned(),
        AttributeValue::Bool(_) | AttributeValue::Int(_) | AttributeValue::Double(_) => {
            format!("{} {value}", value.type_name())
        }
        other => format!("{} {quoted}", other.type_name()),
    }
}

#[cfg(test)]
mod tests;
