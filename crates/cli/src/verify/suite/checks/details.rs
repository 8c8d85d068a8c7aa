//! Status, kind, resource and scope.

use super::super::super::attribute::{AttributeValue, Attributes};
use super::super::super::limits::Part;
use super::super::super::span::{Kind, Span, Status, StatusCode};
use super::super::check::Check;
use super::super::draft::Draft;
use super::super::judge;
use super::super::verdict::Verdict;

pub(super) fn checks(draft: &mut Draft) -> Vec<Check> {
    vec![status(draft), kinds(draft), resource(draft)]
}

fn status(draft: &mut Draft) -> Check {
    let root = draft.root();
    let with = |draft: &mut Draft, code, message: &str| Span {
        status: Status {
            code,
            message: message.to_owned(),
        },
        ..draft.child(&root)
    };
    let failed = with(draft, StatusCode::Error, "connection refused: größe \"x\"");
    let ok = with(draft, StatusCode::Ok, "");
    Check::new(vec![root, failed, ok])
        .row("status unset, OK and ERROR", |sent, found| {
            match (sent.status.code, found.status.code) {
                (sent, found) if sent == found => Verdict::Kept,
                (sent, found) => Verdict::altered(format!("{found} for {sent}")),
            }
        })
        .row_of(
            "the message of an error",
            |span| !span.status.message.is_empty(),
            |sent, found| judge::text(&sent.status.message, &found.status.message),
        )
}

fn kinds(draft: &mut Draft) -> Check {
    let root = draft.root();
    let kinds = [Kind::Server, Kind::Client, Kind::Producer, Kind::Consumer];
    let mut spans: Vec<_> = kinds
        .into_iter()
        .map(|kind| Span {
            kind,
            ..draft.child(&root)
        })
        .collect();
    spans.push(root);
    Check::new(spans)
        .row("all five kinds", |sent, found| {
            match (sent.kind, found.kind) {
                (sent, found) if sent == found => Verdict::Kept,
                (sent, found) => Verdict::altered(format!("{found} for {sent}")),
            }
        })
        .about(Part::Kind)
}

fn resource(draft: &mut Draft) -> Check {
    let mut span = draft.root();
    span.service = "Suite/Größe".to_owned();
    span.resource.extend([
        ("process.pid".to_owned(), AttributeValue::Int(4711)),
        (
            "process.command_args".to_owned(),
            AttributeValue::Array(vec![AttributeValue::String("--all".to_owned())]),
        ),
    ]);
    Check::new(vec![span])
        .row("`service.name`", |sent, found| {
            judge::text(&sent.service, &found.service)
        })
        .about(Part::Resource)
        .row("attributes of the resource", resource_attributes)
        .about(Part::Resource)
        .row("the name of the scope", |sent, found| {
            judge::text(&sent.scope, &found.scope)
        })
        .about(Part::Scope)
        .row(
            "version and attributes of the scope, schema URLs",
            |_, _| Verdict::NotAsked("sent, but this program does not read them back".to_owned()),
        )
}

fn resource_attributes(sent: &Span, found: &Span) -> Verdict {
    let is_mixed = found.resource.is_empty()
        && sent
            .resource
            .keys()
            .any(|key| found.attributes.contains_key(key));
    if !is_mixed {
        return judge::attributes(&sent.resource, &found.resource);
    }
    let among: Attributes = found.attributes.clone();
    let mixed = Verdict::altered("among those of the span");
    Verdict::merge([mixed, judge::attributes(&sent.resource, &among)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sees_a_resource_among_the_attributes_of_the_span() {
        let sent = Draft::new(1, 1_000_000_000).root();
        let moved = Span {
            attributes: sent.resource.clone(),
            resource: Attributes::new(),
            ..sent.clone()
        };
        let lost = Span {
            resource: Attributes::new(),
            ..sent.clone()
        };
        let table = [
            (&sent, Verdict::Kept),
            (&moved, Verdict::altered("among those of the span")),
            (&lost, Verdict::LOST),
        ];
        for (found, expected) in table {
            assert_eq!(resource_attributes(&sent, found), expected);
        }
    }
}
