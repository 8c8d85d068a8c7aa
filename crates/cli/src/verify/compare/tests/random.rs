//! Random faults, and traces of many spans.

use std::time::Instant;

use super::*;

/// Drops, doubles and alters random spans; exactly these are named.
#[test]
fn exactly_the_faults_that_were_made_are_named() {
    for seed in 0..200 {
        let mut rng = SeededRng(seed);
        let report = random_tree(seed, 60, &mut rng);
        let mut found = Vec::new();
        let (mut missing, mut twice, mut altered) = (vec![], vec![], vec![]);
        for span in &report.spans {
            let mut copy = kept(span);
            match rng.below(12) {
                0 => {
                    missing.push(span.span_id);
                    continue;
                }
                1 => {
                    twice.push(span.span_id);
                    found.push(copy.clone());
                }
                2 => {
                    altered.push((span.span_id, vec![alter(&mut copy, &mut rng)]));
                }
                _ => {}
            }
            found.push(copy);
        }
        for at in (1..found.len()).rev() {
            found.swap(at, rng.below(at + 1));
        }
        let findings = compared(&report, &found);
        assert_eq!(ids(&findings.missing), missing, "seed {seed}");
        let doubled: Vec<_> = findings
            .twice
            .iter()
            .map(|twice| twice.span.span_id)
            .collect();
        assert_eq!(doubled, twice, "seed {seed}");
        assert_eq!(fields(&findings), altered, "seed {seed}");
        let orphans = report.spans.iter().filter(|span| {
            !missing.contains(&span.span_id)
                && span.parent.is_some_and(|parent| missing.contains(&parent))
        });
        let orphans: Vec<_> = orphans.map(|span| span.span_id).collect();
        assert_eq!(ids(&findings.orphans), orphans, "seed {seed}");
        let root = usize::from(!missing.contains(&report.spans[0].span_id));
        let pieces = findings.pieces.first().map_or(1, |pieces| pieces.pieces);
        assert_eq!(pieces, (orphans.len() + root).max(1), "seed {seed}");
        assert!(findings.unexpected.is_empty() && findings.unsampled.is_empty());
        assert_eq!(is_whole(&report, &found), missing.is_empty());
    }
}

fn alter(span: &mut Span, rng: &mut SeededRng) -> Field {
    match rng.below(8) {
        0 => {
            span.name.push('x');
            Field::Name
        }
        1 => {
            span.start += 1;
            Field::Start
        }
        2 => {
            span.end -= 1;
            Field::End
        }
        3 => {
            span.attributes.remove("route");
            Field::Attribute("route".to_owned())
        }
        4 => {
            span.events.push(Default::default());
            Field::Events
        }
        5 => {
            span.status.code = StatusCode::Ok;
            Field::StatusCode
        }
        6 => {
            span.service = "service-z".to_owned();
            Field::Service
        }
        _ => {
            span.kind = Kind::Consumer;
            Field::Kind
        }
    }
}

#[test]
fn ten_thousand_spans_are_fast() {
    let mut deep = chain(0, 10_000);
    deep.left_out.push(below(&deep.spans[9_999]));
    let mut found = all_kept(&deep);
    let started = Instant::now();
    assert!(compared(&deep, &found).missing.is_empty());
    for span in &mut found {
        span.span_id = SpanId::from(u64::from_be_bytes(span.span_id.to_bytes()) + 1_000_000);
    }
    assert_eq!(compared(&deep, &found).altered.len(), 10_000);
    assert_eq!(compared(&deep, &[]).missing.len(), 10_000);
    let took = started.elapsed();
    assert!(took.as_secs() < 5, "{took:?}");
}
