//! The steps of a request, timed: `cargo bench -p bench-steps`.
//!
//! `cargo bench -p bench-steps -- --save-baseline NAME` keeps the times, and `-- --baseline NAME` compares
//! with them.

use std::time::Instant;

use bench_steps::STEPS;
use criterion::{Criterion, criterion_group, criterion_main};

fn steps(criterion: &mut Criterion) {
    for step in STEPS {
        criterion.bench_function(step.name, |bencher| {
            bencher.iter_custom(|times| {
                let times =
                    usize::try_from(times).expect("criterion counts less than memory holds");
                let started = Instant::now();
                (step.take)(times);
                started.elapsed()
            });
        });
    }
}

criterion_group!(benches, steps);
criterion_main!(benches);
