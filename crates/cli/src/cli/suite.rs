//! The arguments of `verify --suite`.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use clap::Args;

use crate::verify::suite::subject::Subject;

/// The options of `verify` that have no meaning with `--suite`.
const REQUESTS: [&str; 13] = [
    "url",
    "rate",
    "duration",
    "connections",
    "mix",
    "seed",
    "from",
    "backend",
    "requests",
    "header",
    "sampled",
    "show",
    "junit",
];

/// What a suite checks, and where its page is written.
#[derive(Debug, Args)]
#[command(next_help_heading = "Comparing backends")]
pub struct Suite {
    /// Send traces of its own to backends, and print what each keeps, loses and alters
    #[arg(long, conflicts_with_all = REQUESTS)]
    pub suite: bool,
    /// A backend: 'NAME, OTLP URL, BACKEND'; may be repeated
    // Parsed later: clap would show a malformed one with its password.
    #[arg(
        long,
        value_name = "SUBJECT",
        requires = "suite",
        conflicts_with = "backend"
    )]
    subject: Vec<String>,
    /// A backend that is not there: 'NAME: REASON'; may be repeated
    #[arg(
        long,
        value_name = "SUBJECT",
        requires = "suite",
        conflicts_with = "backend"
    )]
    not_run: Vec<String>,
    /// Do not measure how many spans a second a backend takes
    #[arg(long, requires = "suite", conflicts_with = "backend")]
    pub no_ramp: bool,
    /// Write a page instead of printing a table
    #[arg(
        long,
        value_name = "FILE",
        requires = "suite",
        conflicts_with = "backend"
    )]
    pub markdown: Option<PathBuf>,
}

impl Suite {
    /// The subjects, and those that were not run.
    ///
    /// # Errors
    /// One is malformed, two have the same name, or there is none.
    pub fn subjects(&self) -> Result<Vec<Subject>> {
        let subjects = self.subject.iter().enumerate().map(|(at, text)| {
            Subject::parse(text).map_err(|error| anyhow!("--subject number {}: {error}", at + 1))
        });
        let not_run = self
            .not_run
            .iter()
            .map(|text| Subject::parse_not_run(text).map_err(|error| anyhow!("--not-run {error}")));
        let subjects: Vec<_> = subjects.chain(not_run).collect::<Result<_>>()?;
        if subjects.is_empty() {
            bail!("--suite needs at least one --subject 'NAME, OTLP URL, BACKEND'");
        }
        for (at, subject) in subjects.iter().enumerate() {
            let name = subject.name();
            if subjects[..at].iter().any(|other| other.name() == name) {
                bail!("two subjects have the name '{name}': give each its own");
            }
        }
        Ok(subjects)
    }

    /// The arguments of the command, with the patience it has, without credentials.
    ///
    /// # Errors
    /// As [`Suite::subjects`].
    pub fn arguments(&self, patience: Duration) -> Result<Vec<String>> {
        let subjects = self.subjects()?;
        let mut arguments = vec!["verify --suite".to_owned()];
        arguments.extend(subjects.iter().map(Subject::option));
        if self.no_ramp {
            arguments.push("--no-ramp".to_owned());
        }
        arguments.push(format!("--patience {}s", patience.as_secs_f64()));
        if let Some(file) = &self.markdown {
            arguments.push(format!("--markdown {}", file.display()));
        }
        Ok(arguments)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]

    use clap::Parser as _;

    use crate::cli::{Cli, Command};

    fn parse(arguments: &[&str]) -> Result<super::Suite, String> {
        let arguments = ["tracing-tail", "verify"].iter().chain(arguments);
        let cli = Cli::try_parse_from(arguments).map_err(|error| error.to_string())?;
        match cli.command {
            Some(Command::Verify(args)) => Ok(args.suite),
            _ => Err("not verify".to_owned()),
        }
    }

    #[test]
    fn a_suite_needs_no_backend_and_takes_no_options_of_requests() {
        let table: [(&[&str], bool, &str); 8] = [
            (
                &["--suite", "--subject", "a"],
                true,
                "subjects are parsed later",
            ),
            (
                &["--suite", "--patience", "5s", "--json"],
                true,
                "shared options",
            ),
            (&["--backend", "http://h"], true, "the other mode"),
            (&[], false, "no backend"),
            (&["--suite", "--backend", "http://h"], false, "a backend"),
            (&["--suite", "http://h"], false, "a URL"),
            (&["--suite", "--rate", "1/s"], false, "a rate"),
            (&["--backend", "http://h", "--no-ramp"], false, "no suite"),
        ];
        for (arguments, expected, reason) in table {
            assert_eq!(parse(arguments).is_ok(), expected, "{reason}");
        }
    }

    #[test]
    fn refuses_no_subject_and_two_of_one_name() {
        let table: [(&[&str], &str); 4] = [
            (&["--suite"], "at least one --subject"),
            (
                &["--suite", "--subject", "x"],
                "--subject number 1: 'x' is no subject",
            ),
            (
                &[
                    "--suite",
                    "--not-run",
                    "a: b",
                    "--subject",
                    "a, http://h, http://h",
                ],
                "two subjects have the name 'a'",
            ),
            (
                &["--suite", "--not-run", "a"],
                "--not-run 'a': give 'NAME: REASON'",
            ),
        ];
        for (arguments, expected) in table {
            let error = parse(arguments)
                .unwrap()
                .subjects()
                .unwrap_err()
                .to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn the_arguments_have_no_password() {
        let subject = "a, http://me:hunter2@h, http://me:hunter2@h";
        let suite = parse(&["--suite", "--subject", subject, "--no-ramp"]).unwrap();
        let arguments = suite
            .arguments(std::time::Duration::from_secs(9))
            .unwrap()
            .join(" ");
        assert!(!arguments.contains("hunter2"), "{arguments}");
        assert!(
            arguments.ends_with("--no-ramp --patience 9s"),
            "{arguments}"
        );
    }
}
