#![allow(clippy::unwrap_used, reason = "test code")]

use std::collections::BTreeMap;

use super::*;
use crate::verify::fixtures::{expected, kept, span_id, trace_id};
use crate::verify::span::{Event, Kind, Status, StatusCode};

/// A span with something in each field.
fn full() -> ExpectedSpan {
    let link = |number: u64, reason: &str| ExpectedLink {
        trace_id: trace_id(7),
        span_id: span_id(number),
        reason: reason.to_owned(),
    };
    let mut span = expected(0, 1, Some(0));
    span.status = Status {
        code: StatusCode::Error,
        message: "HTTP 503".to_owned(),
    };
    span.links = vec![link(20, "retry"), link(21, "list")];
    span.attributes
        .insert("share".to_owned(), AttributeValue::Double(1.0));
    span
}

fn text_of(found: &Span, limits: &Limits) -> Vec<String> {
    let span = full();
    let differences = differences(&span, span.parent, found, limits);
    differences.iter().map(ToString::to_string).collect()
}

#[test]
fn names_the_field_and_both_values() {
    type Change = fn(&mut Span);
    let set = |span: &mut Span, value: AttributeValue| {
        span.attributes.insert("route".to_owned(), value);
    };
    let table: [(Change, &str); 21] = [
        (
            |span| span.trace_id = trace_id(4),
            "trace id: expected 00000000000000000000000000000001, found 00000000000000000000000000000005",
        ),
        (
            |span| span.span_id = span_id(4),
            "span id: expected 0000000000000002, found 0000000000000005",
        ),
        (
            |span| span.parent = None,
            "parent: expected 0000000000000001, found nothing",
        ),
        (
            |span| span.parent = Some(span_id(4)),
            "parent: expected 0000000000000001, found 0000000000000005",
        ),
        (
            |span| span.kind = Kind::Server,
            "kind: expected INTERNAL, found SERVER",
        ),
        (
            |span| span.name = "a\nb".to_owned(),
            r#"name: expected "Work 1", found "a\nb""#,
        ),
        (
            |span| span.service = String::new(),
            r#"service: expected "service-a", found nothing"#,
        ),
        (
            |span| span.start += 1,
            "start: expected 1700000000001000123, found 1700000000001000124",
        ),
        (
            |span| span.end -= 1,
            "end: expected 1700000000899222999, found 1700000000899222998",
        ),
        (
            |span| span.status.code = StatusCode::Unset,
            "status code: expected ERROR, found UNSET",
        ),
        (
            |span| span.status.message.clear(),
            r#"status message: expected "HTTP 503", found nothing"#,
        ),
        (
            |span| drop(span.attributes.remove("route")),
            r#"attribute route: expected "/process", found nothing"#,
        ),
        (
            |span| {
                drop(
                    span.attributes
                        .insert("new\n".to_owned(), AttributeValue::Bool(true)),
                )
            },
            r"attribute new\n: expected nothing, found bool true",
        ),
        (
            |span| {
                drop(
                    span.attributes
                        .insert("number".to_owned(), AttributeValue::String("1".to_owned())),
                )
            },
            r#"attribute number: expected int 1, found string "1""#,
        ),
        (
            |span| {
                drop(
                    span.attributes
                        .insert("number".to_owned(), AttributeValue::Double(1.0)),
                )
            },
            "attribute number: expected int 1, found double 1",
        ),
        (
            |span| {
                drop(
                    span.attributes
                        .insert("route".to_owned(), AttributeValue::Empty),
                )
            },
            r#"attribute route: expected string "/process", found empty"#,
        ),
        (
            |span| span.events.clear(),
            "event count: expected 1, found 0",
        ),
        (
            |span| drop(span.links.remove(0)),
            "link: expected 0000000000000015 (retry), found nothing",
        ),
        (
            |span| {
                span.links.push(Link {
                    span_id: span_id(30),
                    ..span.links[0].clone()
                })
            },
            "link: expected nothing, found 000000000000001f",
        ),
        (
            |span| span.links[1].attributes.clear(),
            r#"link reason: expected "list", found nothing"#,
        ),
        (
            |span| {
                drop(span.links[1].attributes.insert(
                    "tracing_tail.link".to_owned(),
                    AttributeValue::String("x".to_owned()),
                ))
            },
            r#"link reason: expected "list", found "x""#,
        ),
    ];
    for (change, text) in table {
        let mut found = kept(&full());
        change(&mut found);
        assert_eq!(text_of(&found, &Limits::NONE), [text]);
    }
    let mut found = kept(&full());
    set(
        &mut found,
        AttributeValue::Array(vec![AttributeValue::Int(1)]),
    );
    let text = r#"attribute route: expected string "/process", found array "[1]""#;
    assert_eq!(text_of(&found, &Limits::NONE), [text]);
}

#[test]
fn the_order_of_links_and_what_an_event_holds_are_not_compared() {
    let mut found = kept(&full());
    found.links.reverse();
    found.events = vec![Event {
        name: "x".to_owned(),
        ..Event::default()
    }];
    assert_eq!(text_of(&found, &Limits::NONE), [""; 0]);
}

#[test]
fn what_a_backend_does_not_keep_is_no_difference() {
    let zipkin = Limits {
        time_unit: 1000,
        lower_case_names: true,
        attributes: AttributeTypes::Text,
        resource: ResourceAttributes::Mixed,
        links: Links::Lost,
        ..Limits::NONE
    };
    let mut found = kept(&full());
    found.start -= found.start % 1000;
    found.end = found.end - found.end % 1000 - 1000;
    found.name = found.name.to_lowercase();
    found.links.clear();
    for value in found.attributes.values_mut() {
        *value = AttributeValue::String(match &*value {
            AttributeValue::Double(_) => "1.0".to_owned(),
            other => other.to_string(),
        });
    }
    let of_the_resource = AttributeValue::String("0.1.0".to_owned());
    found
        .attributes
        .insert("service.version".to_owned(), of_the_resource);
    assert_eq!(text_of(&found, &zipkin), [""; 0]);
    let without = text_of(&found, &Limits::NONE);
    let fields: BTreeMap<_, _> = without
        .iter()
        .map(|text| text.split_once(':').unwrap())
        .collect();
    let names = [
        "attribute number",
        "attribute service.version",
        "attribute share",
        "end",
        "link",
        "name",
        "start",
    ];
    assert_eq!(fields.into_keys().collect::<Vec<_>>(), names);

    // What it keeps is compared all the same.
    found.start -= 1000;
    found.end += 4000;
    found.name = "Work 1".to_owned();
    found.attributes.remove("share");
    let number = AttributeValue::String("2".to_owned());
    found.attributes.insert("number".to_owned(), number);
    let texts = text_of(&found, &zipkin);
    let fields: Vec<_> = texts
        .iter()
        .map(|text| text.split(':').next().unwrap())
        .collect();
    assert_eq!(
        fields,
        [
            "name",
            "start",
            "end",
            "attribute number",
            "attribute share"
        ]
    );

    let ids_only = Limits {
        links: Links::IdsOnly,
        ..Limits::NONE
    };
    let mut found = kept(&full());
    found.links[0].attributes.clear();
    assert_eq!(text_of(&found, &ids_only), [""; 0]);
    found.links.pop();
    assert_eq!(
        text_of(&found, &ids_only),
        ["link: expected 0000000000000016 (list), found nothing"]
    );
}

#[test]
fn what_a_backend_has_no_field_for_is_no_difference() {
    let found = Span {
        kind: Kind::Producer,
        service: String::new(),
        ..kept(&full())
    };
    let fields = |limits: &Limits| -> Vec<String> {
        let texts = text_of(&found, limits).into_iter();
        texts
            .map(|text| text.split(':').next().unwrap_or_default().to_owned())
            .collect()
    };
    let hidden = Limits {
        hidden: &[Part::Kind, Part::Resource],
        ..Limits::NONE
    };
    assert_eq!(fields(&Limits::NONE), ["kind", "service"]);
    assert_eq!(fields(&hidden), [""; 0]);
}

#[test]
fn the_parent_may_have_a_new_id() {
    let span = full();
    let mut found = kept(&span);
    found.parent = Some(span_id(90));
    assert!(differences(&span, Some(span_id(90)), &found, &Limits::NONE).is_empty());
}
