//! Takes a step so often, for `cost` to count: `bench-steps NAME TIMES`. It keeps the system's allocator, in
//! whose place valgrind can count allocations.

use anyhow::{Context as _, Result};
use bench_steps::STEPS;

fn main() -> Result<()> {
    let mut words = std::env::args().skip(1);
    let (name, times) = words
        .next()
        .zip(words.next())
        .context("bench-steps NAME TIMES")?;
    let step = STEPS.iter().find(|step| step.name == name);
    let step = step.with_context(|| format!("there is no step '{name}'"))?;
    let times = times.parse().context("TIMES is a number")?;
    (step.take)(times);
    Ok(())
}
