//! Replays the committed inputs.

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
    let mut broken = Vec::new();
    for target in TARGETS {
        let inputs = inputs(&fuzz().join("corpus").join(target.name));
        let (name, count) = (target.name, inputs.len());
        assert!(count >= 10, "{name} has {count} inputs");
        for path in inputs {
            let input = fs::read(&path).unwrap();
            if panic::catch_unwind(|| target.check(&input)).is_err() {
                broken.push(path);
            }
        }
    }
    assert_eq!(broken, Vec::<PathBuf>::new(), "the output says why");
}

fn inputs(folder: &Path) -> Vec<PathBuf> {
    let entries =
        fs::read_dir(folder).unwrap_or_else(|_| panic!("{} is not there", folder.display()));
    let mut inputs: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    inputs.sort();
    inputs
}
