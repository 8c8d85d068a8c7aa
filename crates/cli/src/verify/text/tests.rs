#![allow(clippy::unwrap_used, reason = "test code")]

use std::time::Duration;

use super::*;
use crate::verify::findings::{Findings, Origin};
use crate::verify::fixtures::{all_kept, chain, compared};
use crate::verify::outcome::Backend;
use crate::verify::sampling::Expectation;

/// Two requests: of the first a span is missing and one altered.
pub(crate) fn faulty() -> Outcome {
    let mut findings = Findings::new(Expectation::All);
    for trace in 0..2 {
        let report = chain(trace, 4);
        let mut found = all_kept(&report);
        if trace == 0 {
            found.pop();
            found[1].attributes.remove("route");
            found[1].name = "bad \u{1b}[2J\u{0} <&\"]]>".to_owned();
        }
        let origin = Origin {
            request: format!("curl http://h/process?{trace}"),
            page: Some(format!("http://b/trace/{trace}")),
        };
        findings.add(&report, compared(&report, &found), origin);
    }
    findings.add_unreported();
    let mut backend = Backend {
        description: "Jaeger at http://b".to_owned(),
        notes: vec!["Links have no attributes.".to_owned()],
        ..Backend::default()
    };
    backend.delays.add(Duration::from_millis(1500));
    Outcome::new(findings, backend)
}

#[test]
fn draws_the_whole_text() {
    let expected = r#"verify: not whole: 8 spans expected, 7 found, 1 missing, 0 twice, 1 altered; backend: Jaeger at http://b
requests                            3
  without report                    1  their spans are not known
traces                              2
spans expected                      8
  found                             7
  missing                           1
  twice                             0
  altered                           1
  orphans                           0
readable after              p50 1.5 s  p95 1.5 s  max 1.5 s
Altered fields: name 1, attribute route 1.
Not compared: Links have no attributes.
Missing spans:
- 1 of 8 spans is missing, one in 8. It is a single span of 1 trace; no trace is missing as a whole.

missing: service-b SERVER Work 3
  trace 00000000000000000000000000000001 span 0000000000000004
  page: http://b/trace/0
  again: curl http://h/process?0

altered: service-a INTERNAL Work 1
  trace 00000000000000000000000000000001 span 0000000000000002
  name: expected "Work 1", found "bad \u{1b}[2J\0 <&\"]]>"
  attribute route: expected "/process", found nothing
  page: http://b/trace/0
  again: curl http://h/process?0"#;
    assert_eq!(faulty().text(20), expected);
}

#[test]
fn shows_as_many_as_it_is_told() {
    let mut findings = Findings::new(Expectation::All);
    let report = chain(0, 9);
    let origin = Origin {
        request: "curl x".to_owned(),
        page: None,
    };
    findings.add(&report, compared(&report, &[]), origin);
    let outcome = Outcome::new(findings, Backend::default());
    let shown = |show: usize| outcome.text(show).matches("again: curl x").count();
    assert_eq!((shown(0), shown(2), shown(100)), (0, 2, 9));
    assert!(outcome.text(2).ends_with("missing: 7 more"));
    assert!(!outcome.text(0).contains("more"));
    assert!(outcome.text(1).contains("  nothing arrived at all"));
}

#[test]
fn the_line_is_one_line_whatever_is_in_it() {
    let mut findings = Findings::new(Expectation::All);
    findings.add_unreported();
    let backend = Backend {
        description: "Tempo at\nhttp://b".to_owned(),
        problem: Some("it answered\r\n\u{1b}<html>".to_owned()),
        ..Backend::default()
    };
    let line = Outcome::new(findings, backend).line();
    assert!(line.starts_with("verify: could not be judged: it answered"));
    assert!(!line.contains(char::is_control), "{line:?}");
}
