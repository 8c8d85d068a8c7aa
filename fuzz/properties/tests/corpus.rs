//! Replays what is committed.

#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "test code: it may panic, and nobody imports it"
)]

use std::fs;
use std::panic;
use std::path::{Path, PathBuf};

use fuzz_properties::TARGETS;

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// One test, since the memory that is counted is that of the process.
#[test]
fn every_property_holds_for_every_input_that_is_committed() {
    for target in TARGETS {
        let folder = fuzz().join("corpus").join(target.name);
        let mut inputs: Vec<_> = fs::read_dir(&folder)
            .unwrap_or_else(|_| panic!("{} has no corpus", target.name))
            .map(|entry| entry.unwrap().path())
            .collect();
        inputs.sort();
        assert!(
            inputs.len() >= 5,
            "{} has {} inputs",
            target.name,
            inputs.len()
        );
        for path in inputs {
            let input = fs::read(&path).unwrap();
            let held = panic::catch_unwind(|| target.check(&input));
            assert!(held.is_ok(), "{} breaks the property", path.display());
        }
    }
}
