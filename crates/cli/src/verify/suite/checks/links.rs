//! Links and events.

use std::collections::BTreeSet;

use super::super::super::attribute::{AttributeValue, Attributes};
use super::super::super::limits::Part;
use super::super::super::span::{Event, Link, Span};
use super::super::check::Check;
use super::super::draft::Draft;
use super::super::judge;
use super::super::verdict::Verdict;

pub(super) fn checks(draft: &mut Draft) -> Vec<Check> {
    vec![links(draft), events(draft)]
}

fn attributes(key: &str) -> Attributes {
    Attributes::from([
        (key.to_owned(), AttributeValue::String("text".to_owned())),
        (format!("{key}.count"), AttributeValue::Int(7)),
    ])
}

/// A link within the trace, and one to a trace that nobody sent.
fn links(draft: &mut Draft) -> Check {
    let root = draft.root();
    let elsewhere = draft.root();
    let link = |to: &Span, flags| Link {
        trace_id: to.trace_id,
        span_id: to.span_id,
        trace_state: "vendor=link,other=2".to_owned(),
        flags: Some(flags),
        attributes: attributes("link"),
    };
    let mut child = draft.child(&root);
    child.links = vec![link(&root, 0x101), link(&elsewhere, 0x301)];
    Check::new(vec![root, child])
        .row_of("links within a trace", has_links, |sent, found| {
            let mut links = sent.links.iter();
            let link = links.find(|link| link.trace_id == sent.trace_id);
            link.map_or(Verdict::Kept, |link| is_there(link, found))
        })
        .about(Part::Links)
        .row_of("links to another trace", has_links, |sent, found| {
            let mut links = sent.links.iter();
            let link = links.find(|link| link.trace_id != sent.trace_id);
            link.map_or(Verdict::Kept, |link| is_there(link, found))
        })
        .about(Part::Links)
        .row_of("attributes of links", has_links, |sent, found| {
            each_link(sent, found, |sent, found| {
                judge::attributes(&sent.attributes, &found.attributes)
            })
        })
        .about(Part::Links)
        .row_of("`tracestate` of links", has_links, |sent, found| {
            each_link(sent, found, |sent, found| {
                judge::text(&sent.trace_state, &found.trace_state)
            })
        })
        .about(Part::Links)
        .row_of("flags of links", has_links, |sent, found| {
            each_link(sent, found, |sent, found| {
                judge::flags(sent.flags, found.flags)
            })
        })
        .about(Part::Links)
}

fn has_links(span: &Span) -> bool {
    !span.links.is_empty()
}

fn each_link(sent: &Span, found: &Span, judge: fn(&Link, &Link) -> Verdict) -> Verdict {
    Verdict::merge(sent.links.iter().map(|link| {
        match found.links.iter().find(|found| is_same(link, found)) {
            Some(found) => judge(link, found),
            None => Verdict::Lost(Some("the link is not there".to_owned())),
        }
    }))
}

fn is_same(sent: &Link, found: &Link) -> bool {
    (sent.trace_id, sent.span_id) == (found.trace_id, found.span_id)
}

fn is_there(link: &Link, span: &Span) -> Verdict {
    match span.links.iter().any(|found| is_same(link, found)) {
        true => Verdict::Kept,
        false => Verdict::LOST,
    }
}

/// Out of order, and three at one time.
fn events(draft: &mut Draft) -> Check {
    let mut span = draft.root();
    let start = span.start;
    let event = |name: &str, after: u64| Event {
        time: start + after,
        name: name.to_owned(),
        attributes: attributes("event"),
    };
    span.events = vec![
        event("last", 3_000_003),
        event("same c", 2_000_002),
        event("same a", 2_000_002),
        event("same b", 2_000_002),
        event("first", 1_000_001),
    ];
    Check::new(vec![span])
        .row("events", |sent, found| {
            each_event(sent, found, |_, _| Verdict::Kept)
        })
        .row("times of events", |sent, found| {
            each_event(sent, found, |sent, found| {
                match sent.time.abs_diff(found.time) {
                    0 => Verdict::Kept,
                    1..1000 => Verdict::altered("in microseconds"),
                    off => Verdict::altered(format!("off by {off} ns")),
                }
            })
        })
        .row("attributes of events", |sent, found| {
            each_event(sent, found, |sent, found| {
                judge::attributes(&sent.attributes, &found.attributes)
            })
        })
        .row("order of events", order)
}

fn each_event(sent: &Span, found: &Span, judge: fn(&Event, &Event) -> Verdict) -> Verdict {
    Verdict::merge(sent.events.iter().map(|event| {
        let named = found.events.iter().find(|found| found.name == event.name);
        named.map_or(Verdict::LOST, |found| judge(event, found))
    }))
}

fn order(sent: &Span, found: &Span) -> Verdict {
    let names = |events: &[Event]| -> Vec<String> {
        events.iter().map(|event| event.name.clone()).collect()
    };
    let (as_sent, read) = (names(&sent.events), names(&found.events));
    if read == as_sent {
        return Verdict::Kept;
    }
    let sets = [&as_sent, &read].map(|names| names.iter().collect::<BTreeSet<_>>());
    if sets[0] != sets[1] {
        return Verdict::Lost(Some("events are missing".to_owned()));
    }
    let mut sorted = sent.events.clone();
    sorted.sort_by_key(|event| event.time);
    if read == names(&sorted) {
        return Verdict::altered("sorted by time, those of one time as sent");
    }
    Verdict::altered(format!("read as {}", read.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_how_events_are_ordered() {
        let event = |name: &str, time| Event {
            name: name.to_owned(),
            time,
            ..Event::default()
        };
        let with = |events: &[Event]| Span {
            events: events.to_vec(),
            ..Span::default()
        };
        let (a, b, c) = (event("a", 2), event("b", 2), event("c", 1));
        let sent = with(&[b.clone(), a.clone(), c.clone()]);
        let table = [
            (with(&[b.clone(), a.clone(), c.clone()]), "kept", ""),
            (
                with(&[c.clone(), b.clone(), a.clone()]),
                "altered",
                "sorted by time, those of one time as sent",
            ),
            (
                with(&[c.clone(), a, b.clone()]),
                "altered",
                "read as c, a, b",
            ),
            (with(&[c, b]), "lost", "events are missing"),
        ];
        for (found, word, note) in table {
            let verdict = order(&sent, &found);
            assert_eq!(verdict.word(), word);
            assert_eq!(verdict.note().unwrap_or_default(), note);
        }
    }
}
