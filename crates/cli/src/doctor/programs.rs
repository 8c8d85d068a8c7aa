//! The programs on the PATH: Spin, and the browser of the tests.

use std::process::{Command, Stdio};

use super::Finding;

/// What is said of Spin where it is not found.
const NO_SPIN: &str = "not on the PATH; `tracing-tail up` needs none";

pub(super) fn findings() -> Vec<Finding> {
    vec![
        match output("spin", "--version") {
            Some(version) => spin(&version),
            None => Finding::fine("spin", NO_SPIN),
        },
        browser(),
    ]
}

/// What `spin --version` means for the choice of a manifest: `spin 4.0.1 (1234567 2026-08-01)`.
fn spin(output: &str) -> Finding {
    let version = output.split_whitespace().nth(1).unwrap_or_default();
    let mut numbers = version.split(['.', '-']).map(str::parse::<u32>);
    let (Some(Ok(major)), Some(Ok(minor))) = (numbers.next(), numbers.next()) else {
        let text = format!("its version is unknown: '{}'", output.trim());
        return Finding::warning("spin", text);
    };
    match (major, minor) {
        (4.., 1..) | (5.., _) => Finding::fine("spin", format!("{version}: spin.toml fits it")),
        (2, 6..) | (3 | 4, _) => Finding::fine(
            "spin",
            format!(
                "{version}: spin.wasip2.toml fits it (spin up -f spin.wasip2.toml); spin.toml needs 4.1 or later"
            ),
        ),
        _ => Finding::problem(
            "spin",
            format!("{version} is too old: spin.wasip2.toml needs 2.6 or later, spin.toml 4.1"),
        ),
    }
}

fn browser() -> Finding {
    let found: Vec<_> = ["chromium", "chromedriver"]
        .into_iter()
        .filter(|program| output(program, "--version").is_some())
        .collect();
    match found[..] {
        [_, _] => Finding::fine(
            "browser",
            "Chromium and chromedriver are here for the tests",
        ),
        _ => Finding::fine(
            "browser",
            "the tests in a browser are ignored without chromium and chromedriver; nothing else needs them",
        ),
    }
}

/// What a program prints, if it is there and succeeds.
fn output(program: &str, argument: &str) -> Option<String> {
    let run = Command::new(program)
        .arg(argument)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    let run = run.ok().filter(|run| run.status.success())?;
    Some(String::from_utf8_lossy(&run.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::super::Level;
    use super::*;

    #[test]
    fn names_the_manifest_that_fits_a_version_of_spin() {
        let table = [
            (
                "spin 2.5.1 (abc 2024-05-01)",
                Level::Problem,
                "2.5.1 is too old",
            ),
            (
                "spin 2.6.0 (abc 2024-06-01)",
                Level::Fine,
                "2.6.0: spin.wasip2.toml fits it",
            ),
            ("spin 3.4.0", Level::Fine, "3.4.0: spin.wasip2.toml fits it"),
            (
                "spin 4.0.2 (abc 2026-08-01)\n",
                Level::Fine,
                "4.0.2: spin.wasip2.toml fits it",
            ),
            (
                "spin 4.1.0-rc.1",
                Level::Fine,
                "4.1.0-rc.1: spin.toml fits it",
            ),
            ("spin 5.0.0", Level::Fine, "5.0.0: spin.toml fits it"),
            (
                "Spin the model checker",
                Level::Warning,
                "its version is unknown",
            ),
        ];
        for (output, level, start) in table {
            let finding = spin(output);
            assert_eq!(finding.level, level, "{output}");
            assert!(finding.text.starts_with(start), "{}", finding.text);
        }
    }
}
