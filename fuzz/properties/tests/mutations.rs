//! Random mutations of the committed inputs, for the parsers of the host and the command line: for a fuzzer, wasmtime would have to be built again.
//! `TRACING_TAIL_FUZZ_INPUTS` sets how many for each, `TRACING_TAIL_FUZZ_SEED` which ones.

#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "test code: it may panic, and nobody imports it"
)]

use std::fs;
use std::panic;
use std::path::Path;

use fuzz_properties::{Target, allowed_hosts, backend_answer, manifest, topology, verify_report};

/// One test, since the memory that is counted is that of the process.
#[test]
fn properties_of_the_host_hold_for_mutated_inputs() {
    let inputs = number("TRACING_TAIL_FUZZ_INPUTS", 500);
    let mut random = Random(number("TRACING_TAIL_FUZZ_SEED", 1) | 1);
    for target in [
        manifest::TARGET,
        topology::TARGET,
        allowed_hosts::TARGET,
        verify_report::TARGET,
        backend_answer::TARGET,
    ] {
        let corpus = corpus(&target);
        for _ in 0..inputs {
            let mut input = random.one(&corpus).clone();
            for _ in 0..=random.below(4) {
                random.mutate(&mut input, &corpus);
            }
            let held = panic::catch_unwind(|| target.check(&input));
            let (name, input) = (target.name, input.escape_ascii());
            assert!(held.is_ok(), "{name} does not hold for: {input}");
        }
    }
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

fn corpus(target: &Target) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../corpus")
        .join(target.name);
    let mut paths: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// xorshift64*
struct Random(u64);

impl Random {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % most.max(1)
    }

    fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    fn mutate(&mut self, input: &mut Vec<u8>, corpus: &[Vec<u8>]) {
        let at = self.below(input.len() + 1);
        let end = (at + self.below(24)).min(input.len());
        match self.below(7) {
            0 if at < input.len() => input[at] ^= 1 << self.below(7),
            1 => input.insert(at, *self.one(b"\"'\\{}[]=.,:;/-_*@# \t\r\n\0\x7f019azAZ")),
            2 => drop(input.drain(at..end)),
            3 => {
                let copy = input[at..end].to_vec();
                input.splice(at..at, copy);
            }
            // A line of another input.
            4 | 5 => {
                let lines: Vec<&[u8]> = self
                    .one(corpus)
                    .split_inclusive(|byte| *byte == b'\n')
                    .collect();
                let start = input[..at]
                    .iter()
                    .rposition(|byte| *byte == b'\n')
                    .map_or(0, |at| at + 1);
                if let Some(line) = lines.get(self.below(lines.len())) {
                    input.splice(start..start, line.iter().copied());
                }
            }
            _ => {
                let word = *self.one(&[
                    "{{ x }}", "\\u007f", "1e400", "\u{e9}", "99999", "services", "[[x]]", ";p=1",
                    "...",
                ]);
                input.splice(at..at, word.bytes());
            }
        }
    }
}
