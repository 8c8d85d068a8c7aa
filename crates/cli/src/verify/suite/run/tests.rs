#![allow(clippy::unwrap_used, reason = "test code")]

mod scripted;

use std::time::Duration;

use clap::Parser;
use tokio::net::TcpListener;

use super::super::probe::Pace;
use super::*;

use self::scripted::{Fault, Scripted};

/// The command line of the suite alone.
#[derive(Parser)]
struct Line {
    #[command(flatten)]
    args: Verify,
}

fn args(subjects: &[String]) -> Verify {
    let mut line = vec!["suite", "--suite", "--no-ramp", "--patience", "1s"];
    for subject in subjects {
        line.extend(["--subject", subject]);
    }
    Line::try_parse_from(line).unwrap().args
}

#[test]
fn the_rows_end_with_the_figures() {
    let (all, without) = (rows(false), rows(true));
    assert_eq!(all[..without.len()], without);
    assert_eq!(all.last().map(String::as_str), Some(SPEED));
    assert_eq!(without.last().map(String::as_str), Some(LARGE));
}

#[tokio::test]
async fn a_subject_that_can_t_be_checked_has_the_reason_and_the_next_is_asked() {
    let good = Scripted::start(Fault::None).await;
    let refusing = Scripted::start(Fault::Refuses).await;
    let busy = Scripted::start(Fault::Busy).await;
    let losing = Scripted::start(Fault::LosesAll).await;
    let broken = Scripted::start(Fault::AnswersNoJson).await;
    // The system accepts connections for the listener, which never answers.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = format!("http://{}", silent.local_addr().unwrap());
    let table = [
        (
            &refusing.url,
            &refusing.url,
            "answered 400 Bad Request: no spans today",
        ),
        (
            &busy.url,
            &busy.url,
            "answered 503 Service Unavailable: later",
        ),
        (&silent, &good.url, "within 1s"),
        (&losing.url, &losing.url, "was not there after 1 s"),
        (&broken.url, &broken.url, "not JSON"),
    ];
    let subjects: Vec<_> = table
        .iter()
        .enumerate()
        .map(|(number, (export, backend, _))| format!("{number}, {export}, viewer+{backend}"))
        .collect();
    let results = run(&args(&subjects)).await.unwrap();
    assert!(!results.is_complete);
    assert_eq!(results.columns.len(), table.len());
    for (column, (_, _, expected)) in results.columns.iter().zip(table) {
        let why = column.verdicts.as_ref().unwrap_err();
        assert!(why.contains(expected), "{why}");
    }
    assert!(busy.exports() > 1, "a busy receiver is asked again");
    assert_eq!(refusing.exports(), 1, "a refusal is final");
}

#[tokio::test]
async fn a_row_says_what_a_subject_does_to_it() {
    let table = [
        (Fault::None, "all five kinds", "kept"),
        (
            Fault::LosesConsumers,
            "all five kinds",
            "altered: 1 of 5 lost: the span is not there",
        ),
        (Fault::RefusesConsumers, "all five kinds", "refused"),
        (Fault::LosesConsumers, "two spans without a parent", "kept"),
        (Fault::None, "a span sent twice", "there twice"),
        (Fault::LosesAll, "bytes", "lost: the whole trace"),
        (Fault::AnswersNoJson, "bytes", "unreadable"),
    ];
    let pace = Pace {
        poll: Duration::from_millis(10),
        apart: Duration::ZERO,
        settle: Duration::ZERO,
    };
    for (fault, row, expected) in table {
        let server = Scripted::start(fault).await;
        let subject = Subject::parse(&format!("x, {0}, viewer+{0}", server.url)).unwrap();
        let Subject::Backend(endpoints) = subject else {
            panic!("{fault:?}");
        };
        let access = Access::default();
        let backend = Backend::connect(&endpoints.address, &access).await.unwrap();
        let patience = Duration::from_millis(300);
        let mut probe = Probe::new(Exporter::new(endpoints.export), backend, patience);
        probe.pace = pace;
        let checks = checks(&mut draft().unwrap());
        let has_row = |check: &Check| check.rows.iter().any(|known| known.name == row);
        let check = checks.into_iter().find(has_row).unwrap();
        let verdicts = probe.run(&check).await;
        let at = check
            .rows
            .iter()
            .position(|known| known.name == row)
            .unwrap();
        let verdict = &verdicts[at];
        let said = [verdict.word(), verdict.note().unwrap_or_default()].join(": ");
        assert!(said.starts_with(expected), "{fault:?}, {row}: {said}");
    }
}
