//! The cost of each step in instructions and allocations, counted by valgrind.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use bench_steps::{STEPS, Step};
use comfy_table::Table;
use tokio::process::Command;

use crate::report::{table, thousands};
use crate::server::repository;

/// How often a step is taken; and once more as often, so that what is made only once drops out of
/// the difference.
const TIMES: usize = 256;

/// What a step takes.
#[derive(Debug, Clone, Copy)]
struct Cost {
    instructions: f64,
    allocations: f64,
    bytes: f64,
}

/// Counts for every step, beside the instructions of the baseline.
///
/// # Errors
/// Where valgrind does not run, or the baseline can't be read.
pub async fn cost(save: bool) -> Result<Table> {
    let file = repository().join("bench/cost-baseline.json");
    let baseline: BTreeMap<String, f64> = match std::fs::read(&file) {
        Ok(saved) => serde_json::from_slice(&saved).context("the baseline is malformed")?,
        Err(_) => BTreeMap::new(),
    };
    let mut counted = BTreeMap::new();
    let mut table = table(&[
        "",
        "instructions",
        "of baseline",
        "allocations",
        "bytes allocated",
    ]);
    let program = build().await?;
    for step in STEPS {
        let cost = count(&program, &step).await?;
        counted.insert(step.name, cost.instructions.round());
        let before = baseline.get(step.name);
        table.add_row([
            step.name.to_owned(),
            thousands(cost.instructions),
            before.map_or("–".to_owned(), |before| {
                format!("{:.2}", cost.instructions / before)
            }),
            format!("{:.1}", cost.allocations),
            thousands(cost.bytes),
        ]);
    }
    if save {
        let text = serde_json::to_string_pretty(&counted)?;
        std::fs::write(&file, text + "\n").context("failed to save the baseline")?;
    }
    Ok(table)
}

/// Builds the program that takes steps, in the target directory of this one.
async fn build() -> Result<PathBuf> {
    let program = std::env::current_exe()?;
    let target = program.ancestors().nth(2);
    let target = target.context("this program is in no target directory")?;
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--release", "--package", "bench-steps"]);
    cargo.arg("--target-dir").arg(target);
    let built = cargo.current_dir(repository()).status().await?;
    ensure!(built.success(), "the steps did not build");
    Ok(target.join("release/bench-steps"))
}

async fn count(program: &Path, step: &Step) -> Result<Cost> {
    let instructions = |said: &str| number_after(said, "Collected : ");
    let allocations = |said: &str| number_after(said, "bytes in ");
    let bytes = |said: &str| number_after(said, "Total:     ");
    let callgrind = twice(program, ["callgrind", "--callgrind-out-file"], step).await?;
    let dhat = twice(program, ["dhat", "--dhat-out-file"], step).await?;
    Ok(Cost {
        instructions: difference(&callgrind, instructions)?,
        allocations: difference(&dhat, allocations)?,
        bytes: difference(&dhat, bytes)?,
    })
}

fn difference(said: &[String; 2], number: impl Fn(&str) -> Option<f64>) -> Result<f64> {
    let [once, twice] = said;
    let numbers = number(once).zip(number(twice));
    let (once, twice) = numbers.with_context(|| format!("valgrind said: {once}"))?;
    Ok((twice - once) / TIMES as f64)
}

async fn twice(program: &Path, tool: [&str; 2], step: &Step) -> Result<[String; 2]> {
    let once = valgrind(program, tool, step, TIMES).await?;
    Ok([once, valgrind(program, tool, step, 2 * TIMES).await?])
}

async fn valgrind(program: &Path, tool: [&str; 2], step: &Step, times: usize) -> Result<String> {
    let [tool, file] = tool;
    let mut command = Command::new("valgrind");
    command.arg(format!("--tool={tool}"));
    command.arg(format!("{file}=/dev/null"));
    command.arg(program).arg(step.name);
    let output = command.arg(times.to_string()).output().await;
    let output = output.context("failed to run valgrind; on Debian: apt-get install valgrind")?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), "valgrind failed: {said}");
    Ok(said)
}

/// The number after `words`; it may have commas.
fn number_after(said: &str, words: &str) -> Option<f64> {
    let (_, after) = said.split_once(words)?;
    let digits = after
        .chars()
        .take_while(|c| c.is_ascii_digit() || *c == ',');
    let digits: String = digits.filter(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_from_what_valgrind_says() {
        let said = "==7== Total:     1,234,567 bytes in 8,901 blocks\n==7== Collected : 42\n";
        assert_eq!(number_after(said, "Total:     "), Some(1_234_567.0));
        assert_eq!(number_after(said, "bytes in "), Some(8901.0));
        assert_eq!(number_after(said, "Collected : "), Some(42.0));
        assert_eq!(number_after(said, "Nothing : "), None);
    }
}
