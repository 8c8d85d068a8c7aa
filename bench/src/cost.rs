//! The cost of each step in instructions and allocations, counted by valgrind.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use bench_steps::{STEPS, Step};
use comfy_table::Table;
use tokio::process::Command;

use crate::report::{table, thousands};
use crate::server::repository;

/// How often a step runs. A second run takes twice as many, so that one-time work drops out of the difference.
const TIMES: usize = 256;

/// The cost of a step.
#[derive(Debug, Clone, Copy)]
struct Cost {
    instructions: f64,
    allocations: f64,
    bytes: f64,
}

/// Counts for every step, next to the baseline's instructions.
///
/// # Errors
/// If valgrind does not run, or the baseline can't be read.
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

/// Builds the program that runs steps, in this program's target directory.
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
    let instructions = |output_text: &str| number_after(output_text, "Collected : ");
    let allocations = |output_text: &str| number_after(output_text, "bytes in ");
    let bytes = |output_text: &str| number_after(output_text, "Total:     ");
    let callgrind = twice(program, ["callgrind", "--callgrind-out-file"], step).await?;
    let dhat = twice(program, ["dhat", "--dhat-out-file"], step).await?;
    Ok(Cost {
        instructions: difference(&callgrind, instructions)?,
        allocations: difference(&dhat, allocations)?,
        bytes: difference(&dhat, bytes)?,
    })
}

fn difference(output_text: &[String; 2], number: impl Fn(&str) -> Option<f64>) -> Result<f64> {
    let [once, twice] = output_text;
    let numbers = number(once).zip(number(twice));
    let (once, twice) =
        numbers.with_context(|| format!("unexpected output of valgrind: {once}"))?;
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
    let output_text = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), "valgrind failed: {output_text}");
    Ok(output_text)
}

/// The number after `label`; it may have commas.
fn number_after(output_text: &str, label: &str) -> Option<f64> {
    let (_, after) = output_text.split_once(label)?;
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
    fn reads_numbers_from_valgrinds_output() {
        let output_text =
            "==7== Total:     1,234,567 bytes in 8,901 blocks\n==7== Collected : 42\n";
        assert_eq!(number_after(output_text, "Total:     "), Some(1_234_567.0));
        assert_eq!(number_after(output_text, "bytes in "), Some(8901.0));
        assert_eq!(number_after(output_text, "Collected : "), Some(42.0));
        assert_eq!(number_after(output_text, "Nothing : "), None);
    }
}
