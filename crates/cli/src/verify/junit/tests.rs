#![allow(clippy::unwrap_used, reason = "test code")]

use std::collections::BTreeMap;

use quick_xml::Reader;
use quick_xml::events::Event;

use super::*;
use crate::verify::findings::{Findings, Origin};
use crate::verify::fixtures::{all_kept, chain, compared};
use crate::verify::outcome::Backend;
use crate::verify::sampling::Expectation;
use crate::verify::text::tests::faulty;

/// A name and attributes.
type Element = (String, BTreeMap<String, String>);

/// The elements with their attributes, the text of all; every character must be one of XML 1.0.
fn read(xml: &str) -> (Vec<Element>, usize) {
    assert!(xml.chars().all(|c| c == '\n' || !c.is_control()), "{xml:?}");
    let mut reader = Reader::from_str(xml);
    let (mut elements, mut texts) = (Vec::new(), 0);
    loop {
        match reader.read_event().unwrap() {
            Event::Start(element) | Event::Empty(element) => {
                let attributes = element.attributes().map(|attribute| {
                    let attribute = attribute.unwrap();
                    let key = attribute.key.as_ref().to_owned();
                    (key, attribute.value.into_owned())
                });
                let name = element.name().as_ref().to_owned();
                elements.push((name, attributes.collect()));
            }
            Event::Text(text) => texts += text.len(),
            Event::Eof => return (elements, texts),
            _ => {}
        }
    }
}

fn named(elements: &[Element], name: &str) -> usize {
    elements
        .iter()
        .filter(|(element, _)| element == name)
        .count()
}

#[test]
fn a_case_fails_for_its_categories_only() {
    let xml = faulty().to_junit(20).unwrap();
    let (elements, texts) = read(&xml);
    let suite = &elements[1].1;
    let counts = ["tests", "failures", "errors", "skipped"].map(|name| suite[name].as_str());
    assert_eq!(counts, ["8", "2", "0", "1"]);
    assert_eq!(named(&elements, "testcase"), 8);
    assert_eq!(named(&elements, "failure"), 2);
    assert!(texts > 100);
    let failed = elements.windows(2).filter(|pair| pair[1].0 == "failure");
    let failed: Vec<_> = failed.map(|pair| pair[0].1["name"].as_str()).collect();
    assert_eq!(failed, ["spans arrive", "spans arrive unaltered"]);
    assert!(xml.contains("attribute route: expected"));
}

#[test]
fn any_value_makes_valid_xml() {
    let mut findings = Findings::new(Expectation::All);
    let mut report = chain(0, 2);
    let nasty = "\u{0}\u{1b}\u{fffe}\u{ffff}<&>'\"]]>\u{1f600}\r\n--><!--";
    report.spans[1].name = nasty.to_owned();
    report.spans[1].service = nasty.to_owned();
    let origin = Origin {
        request: nasty.to_owned(),
        page: Some(nasty.to_owned()),
    };
    findings.add(&report, compared(&report, &all_kept(&report)[..1]), origin);
    let backend = Backend {
        description: nasty.to_owned(),
        ..Backend::default()
    };
    let xml = Outcome::new(findings, backend).to_junit(20).unwrap();
    let xml = xml.replace(['\r', '\t'], "");
    assert!(!xml.contains(['\u{fffe}', '\u{ffff}']));
    let (elements, _) = read(&xml);
    assert_eq!(named(&elements, "failure"), 1);
}

#[test]
fn what_could_not_be_judged_is_an_error() {
    let backend = Backend {
        problem: Some("not reached \u{1}".to_owned()),
        ..Backend::default()
    };
    let outcome = Outcome::new(Findings::new(Expectation::All), backend);
    let (elements, _) = read(&outcome.to_junit(20).unwrap());
    assert_eq!(
        (named(&elements, "error"), named(&elements, "skipped")),
        (1, 6)
    );
    assert_eq!(named(&elements, "failure"), 0);
}
