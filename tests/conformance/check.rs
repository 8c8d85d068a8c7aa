//! Checks a span and its resource against the registry and `docs/telemetry.md`.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, SpanKind};
use opentelemetry_proto::tonic::trace::v1::{Span, status::StatusCode};

use super::documented::Documented;
use super::leaf;
use super::registry::{Levels, Registry};

/// The prefix of the project's own attributes.
const OURS: &str = "tracing_tail.";

/// Finds defects of spans.
#[derive(Debug)]
pub struct Checker {
    /// What the conventions say.
    pub registry: Registry,
    /// What our own page says.
    pub documented: Documented,
}

pub(super) type Attributes<'s> = BTreeMap<&'s str, &'s Value>;

impl Checker {
    /// What is wrong with a span; each defect names what has it.
    pub fn span(&self, span: &Span) -> Vec<String> {
        let mut defects = Vec::new();
        let kind = SpanKind::try_from(span.kind).unwrap();
        let kind = kind.as_str_name().trim_start_matches("SPAN_KIND_");
        let (attributes, twice) = map(&span.attributes);
        defects.extend(twice);
        if let Some(found) = self.message(kind, span, &attributes) {
            defects.extend(found);
            defects.extend(self.of_any_span(kind, span));
            return defects;
        }
        let leaf = ["db.system.name", "rpc.system.name"].map(|name| text(&attributes, name));
        let leaf = self.registry.leaves.get(&leaf.concat());
        let http = self.registry.spans.get(&kind.to_ascii_lowercase());
        match (leaf, http) {
            (Some(levels), _) => {
                let condition = |name: &str| leaf::condition(name, span, &attributes);
                defects.extend(self.required(levels, &attributes, condition));
                defects.extend(attributes.iter().filter_map(|(name, value)| {
                    let row = self.documented.row("Leaves", name);
                    self.attribute(name, value, levels, row)
                }));
                defects.extend(leaf::name(span, &attributes));
                defects.extend(leaf::status(span, &attributes));
            }
            (None, Some(levels)) => {
                let condition = |name: &str| condition(kind, name, span, &attributes);
                let section = format!("{kind} `");
                defects.extend(self.required(levels, &attributes, condition));
                defects.extend(attributes.iter().filter_map(|(name, value)| {
                    // A leaf of the system `http` is an HTTP client like any other.
                    let row = self.documented.row(&section, name);
                    let row = row.or_else(|| self.documented.row("Leaves", name));
                    self.attribute(name, value, levels, row)
                }));
                defects.extend(name(kind, span, &attributes));
                defects.extend(status(kind, span, &attributes));
            }
            (None, None) if leaf::is_step(span, &attributes) => {}
            (None, None)
                if !self
                    .documented
                    .has_section(&format!("{kind} `{}`", span.name)) =>
            {
                defects.push(format!("no span '{}' of kind {kind} is known", span.name));
            }
            (None, None) => {
                let unknown = attributes.keys();
                defects.extend(unknown.map(|name| format!("{name} is not of this span")));
            }
        }
        defects.extend(self.of_any_span(kind, span));
        defects
    }

    /// What is wrong with events, links and times, whatever the span is about.
    fn of_any_span(&self, kind: &str, span: &Span) -> Vec<String> {
        let mut defects = Vec::new();
        let failed = code(span) == StatusCode::Error;
        let exceptions = span.events.iter().filter(|it| it.name == "exception");
        match exceptions.count() {
            0 => {}
            1 if failed => {}
            1 => defects.push("an exception on a span that has not failed".to_owned()),
            _ => defects.push("an exception is recorded twice".to_owned()),
        }
        for event in &span.events {
            let found = self.event(kind, event).into_iter();
            defects.extend(found.map(|defect| format!("{}: {defect}", event.name)));
        }
        for link in &span.links {
            if (&link.trace_id, &link.span_id) == (&span.trace_id, &span.parent_span_id) {
                defects.push("a link to its own parent".to_owned());
            }
        }
        if span.start_time_unix_nano > span.end_time_unix_nano {
            defects.push("it ends before it starts".to_owned());
        }
        defects
    }

    /// What is wrong with a resource. What the conventions do not know is the user's.
    pub fn resource(&self, resource: &Resource) -> Vec<String> {
        let (attributes, twice) = map(&resource.attributes);
        let mut defects: Vec<_> = twice.collect();
        let entities = &self.registry.entities;
        let all: Levels = entities.values().flatten().map(own).collect();
        for name in ["service", "telemetry.sdk"] {
            defects.extend(self.required(&entities[name], &attributes, |_| None));
        }
        let known = attributes
            .iter()
            .filter(|(name, _)| all.contains_key(**name));
        defects.extend(known.filter_map(|(name, value)| self.attribute(name, value, &all, None)));
        defects
    }

    fn event(&self, kind: &str, event: &Event) -> Vec<String> {
        let (attributes, twice) = map(&event.attributes);
        let mut defects: Vec<_> = twice.collect();
        // A CONSUMER span has the events of a SERVER span.
        let section = if kind == "CONSUMER" { "SERVER" } else { kind };
        let section = &format!("{section} `");
        let levels: Levels = if let Some(levels) = self.registry.events.get(&event.name) {
            levels.clone()
        } else if let Some(named) = self.documented.event(section, &event.name) {
            let level = |always| if always { "required" } else { "recommended" };
            let named = named.into_iter();
            named
                .map(|(name, always)| (name.to_owned(), level(always).to_owned()))
                .collect()
        } else {
            return vec!["the event is unknown".to_owned()];
        };
        let condition = |name: &str| match name {
            "exception.type" => Some(!attributes.contains_key("exception.message")),
            "exception.message" => Some(!attributes.contains_key("exception.type")),
            _ => panic!("the registry has a new condition, for {name}: write a rule"),
        };
        // Recommended as well: the condition only asks for one of the two.
        let condition = |name: &str| condition(name).filter(|required| *required);
        defects.extend(self.required(&levels, &attributes, condition));
        defects.extend(attributes.iter().filter_map(|(name, value)| {
            let row = levels.contains_key(*name).then_some("");
            self.attribute(name, value, &levels, row)
        }));
        defects
    }

    /// What is missing, or is there although its condition does not hold.
    pub(super) fn required(
        &self,
        levels: &Levels,
        attributes: &Attributes<'_>,
        condition: impl Fn(&str) -> Option<bool>,
    ) -> Vec<String> {
        let wanted = |(name, level): (&String, &String)| {
            let present = attributes.contains_key(&name[..]);
            match &level[..] {
                "required" if !present => Some(format!("{name} is required")),
                "conditionally_required" => match condition(name) {
                    Some(true) if !present => Some(format!("{name} is required here")),
                    Some(false) if present => Some(format!("{name} is out of place here")),
                    _ => None,
                },
                _ => None,
            }
        };
        levels.iter().filter_map(wanted).collect()
    }

    /// What is wrong with an attribute of something that has `levels`, and this row on our own page.
    pub(super) fn attribute(
        &self,
        name: &str,
        value: &Value,
        levels: &Levels,
        row: Option<&str>,
    ) -> Option<String> {
        if name.starts_with(OURS) {
            return row
                .is_none()
                .then(|| format!("{name} is not documented here"));
        }
        // A template: the rest of the name is free.
        let template = "db.operation.parameter";
        let is_templated = name.starts_with(&format!("{template}."));
        let known = if is_templated { template } else { name };
        let Some(known) = self.registry.attributes.get(known) else {
            return Some(format!("{name} is not in the registry"));
        };
        let text = match value {
            Value::StringValue(text) => text,
            _ => "",
        };
        let marked = row.is_some_and(|row| row.contains(&known.stability));
        let type_name = known
            .kind
            .trim_start_matches("template[")
            .trim_end_matches(']');
        // Some systems' pages require their name in the text alone.
        let names_the_system = ["db.system.name", "rpc.system.name"].contains(&name);
        let is_listed = names_the_system
            || levels.contains_key(name)
            || is_templated && levels.contains_key(template);
        if !is_listed {
            Some(format!("{name} is not of this span"))
        } else if known.deprecated {
            Some(format!("{name} is deprecated"))
        } else if known.stability != "stable" && !marked {
            Some(format!(
                "{name} is {}, and not marked as that",
                known.stability
            ))
        } else if type_name != kind_of(value) {
            Some(format!("{name} is {type_name}, not {}", kind_of(value)))
        } else if known.kind == "string" && text.is_empty() {
            Some(format!("{name} is empty"))
        } else if name != "error.type" && !known.values.is_empty() {
            // Any other value is allowed for an error.
            let listed = known.values.iter().any(|value| value == text);
            (!listed).then(|| format!("'{text}' is no value of {name}"))
        } else {
            None
        }
    }
}

/// Whether an attribute is required, if the span shows whether its condition holds.
fn condition(kind: &str, name: &str, span: &Span, attributes: &Attributes<'_>) -> Option<bool> {
    let has = |name: &str| attributes.contains_key(name);
    match (kind, name) {
        ("SERVER", "error.type") => Some(status_code(attributes) >= 500),
        ("CLIENT", "error.type") => Some(code(span) == StatusCode::Error),
        (_, "http.request.method_original") => {
            Some(text(attributes, "http.request.method") == "_OTHER")
        }
        ("SERVER", "http.response.status_code") => Some(true),
        // The response may have arrived without its body.
        ("CLIENT", "http.response.status_code") => (!has("error.type")).then_some(true),
        ("SERVER", "http.route") => {
            let path = text(attributes, "url.path").trim_end_matches('/');
            Some(path.rsplit('/').next() == Some("process"))
        }
        ("SERVER", "server.port") => Some(has("server.address")),
        // The protocol is HTTP.
        (_, "network.protocol.name") => Some(false),
        // The span does not show whether there was one.
        ("SERVER", "url.query") => None,
        _ => panic!("the registry has a new condition, for {name}: write a rule"),
    }
}

/// HTTP, "Name".
fn name(kind: &str, span: &Span, attributes: &Attributes<'_>) -> Option<String> {
    let method = text(attributes, "http.request.method");
    let verb = if method == "_OTHER" { "HTTP" } else { method };
    let target = match kind {
        "SERVER" => text(attributes, "http.route"),
        _ => "",
    };
    let name = format!("{verb} {target}");
    let name = name.trim_end();
    (span.name != name).then(|| format!("its name is '{}', not '{name}'", span.name))
}

/// HTTP, "Status", and "http.request.resend_count".
fn status(kind: &str, span: &Span, attributes: &Attributes<'_>) -> Vec<String> {
    let mut defects = Vec::new();
    let status = code(span);
    let failed = status == StatusCode::Error;
    let answered = status_code(attributes);
    let fails = match kind {
        "SERVER" => answered >= 500,
        _ => answered >= 400 || attributes.contains_key("error.type"),
    };
    if status == StatusCode::Ok || failed != fails {
        defects.push(format!("its status is {status:?} with {answered}"));
    }
    let description = span.status.as_ref().map_or("", |it| &it.message[..]);
    let error = text(attributes, "error.type");
    if failed && !error.is_empty() && description.replace(' ', "_") == error {
        defects.push("its description says no more than error.type".to_owned());
    }
    let links = span.links.iter();
    let retries = links.filter(|link| {
        let (about, _) = map(&link.attributes);
        text(&about, "tracing_tail.link") == "retry"
    });
    let resent = attributes.contains_key("http.request.resend_count");
    if resent != (retries.count() > 0) {
        defects.push("http.request.resend_count is for retries".to_owned());
    }
    defects
}

pub(super) fn map(pairs: &[KeyValue]) -> (Attributes<'_>, impl Iterator<Item = String>) {
    let mut attributes = Attributes::new();
    let mut twice = Vec::new();
    for pair in pairs {
        let value = pair.value.as_ref().and_then(|value| value.value.as_ref());
        match value.map(|value| attributes.insert(&pair.key, value)) {
            None => twice.push(format!("{} has no value", pair.key)),
            Some(Some(_)) => twice.push(format!("{} is there twice", pair.key)),
            Some(None) => {}
        }
    }
    (attributes, twice.into_iter())
}

fn own((name, level): (&String, &String)) -> (String, String) {
    (name.clone(), level.clone())
}

pub(super) fn code(span: &Span) -> StatusCode {
    let code = span.status.as_ref().map_or(0, |status| status.code);
    StatusCode::try_from(code).unwrap()
}

pub(super) fn text<'s>(attributes: &Attributes<'s>, name: &str) -> &'s str {
    match attributes.get(name) {
        Some(Value::StringValue(text)) => text,
        _ => "",
    }
}

fn status_code(attributes: &Attributes<'_>) -> i64 {
    match attributes.get("http.response.status_code") {
        Some(Value::IntValue(code)) => *code,
        _ => 0,
    }
}

/// The registry's word for a value's type.
fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::StringValue(_) => "string",
        Value::BoolValue(_) => "boolean",
        Value::IntValue(_) => "int",
        Value::DoubleValue(_) => "double",
        _ => "no plain value",
    }
}
