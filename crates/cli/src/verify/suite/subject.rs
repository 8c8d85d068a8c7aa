//! A subject: a backend's name, where it takes spans, and where it answers.

use tracing_tail::target::{Target, refusal};
use tracing_tail_redact::{hides_a_password, is_http, redact};

use super::super::backend::address::Address;

/// What is accepted.
const ACCEPTED: &str = "give 'NAME, OTLP URL, BACKEND', such as 'Jaeger 2.20.0, http://127.0.0.1:4318, jaeger+http://127.0.0.1:16686'";
/// The path of OTLP's receivers (OTLP specification, "OTLP/HTTP Request").
const PATH: &str = "/v1/traces";

/// A backend that is checked.
#[derive(Debug, Clone)]
pub struct Endpoints {
    /// Its name and version.
    pub name: String,
    /// Where it takes spans.
    pub export: Target,
    /// Where it answers.
    pub address: Address,
    /// What was given, without credentials.
    shown: String,
}

/// A column of the table.
#[derive(Debug, Clone)]
pub enum Subject {
    /// A backend to check.
    Backend(Box<Endpoints>),
    /// A backend that was not checked.
    NotRun {
        /// Its name.
        name: String,
        /// Why.
        reason: String,
    },
}

impl Subject {
    /// Parses `NAME, OTLP URL, BACKEND`. An OTLP URL without a path gets that of OTLP.
    ///
    /// # Errors
    /// A sentence that says what is accepted, without credentials.
    pub fn parse(text: &str) -> Result<Subject, String> {
        let mut parts = text.rsplitn(3, ',').map(str::trim);
        let (Some(backend), Some(url), Some(name)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(refuse(text));
        };
        if [backend, url, name].iter().any(|part| part.is_empty()) {
            return Err(refuse(text));
        }
        let base = Target::parse(url).ok_or_else(|| refusal(url, "http://127.0.0.1:4318"))?;
        let export = match base.url().path_and_query().map(|path| path.as_str()) {
            None | Some("/") => {
                let url = format!("{}{PATH}", url.trim_end_matches('/'));
                Target::parse(&url).ok_or_else(|| refusal(&url, "http://127.0.0.1:4318"))?
            }
            _ => base,
        };
        let address = Address::parse(backend)?;
        Ok(Subject::Backend(Box::new(Endpoints {
            name: name.to_owned(),
            shown: format!("{name}, {}, {}", redact(url), shown(backend)),
            export,
            address,
        })))
    }

    /// Parses `NAME: REASON`.
    ///
    /// # Errors
    /// What is accepted.
    pub fn parse_not_run(text: &str) -> Result<Subject, String> {
        let parts = text
            .split_once(": ")
            .map(|(name, reason)| (name.trim(), reason.trim()));
        match parts {
            Some((name, reason)) if !name.is_empty() && !reason.is_empty() => Ok(Subject::NotRun {
                name: name.to_owned(),
                reason: reason.to_owned(),
            }),
            _ => Err(format!(
                "'{}': give 'NAME: REASON', such as 'Phoenix: it has no reader'",
                redact(text)
            )),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Subject::Backend(endpoints) => &endpoints.name,
            Subject::NotRun { name, .. } => name,
        }
    }

    /// The option that gives it, without credentials.
    pub fn option(&self) -> String {
        match self {
            Subject::Backend(endpoints) => {
                format!("--subject {}", shell_quoted(&endpoints.shown))
            }
            Subject::NotRun { name, reason } => {
                format!("--not-run {}", shell_quoted(&format!("{name}: {reason}")))
            }
        }
    }
}

/// A backend's address without credentials. What [`Address`] takes for a path has none.
fn shown(backend: &str) -> String {
    match backend.split_once('+') {
        _ if is_http(backend) => redact(backend),
        Some((system, url)) if is_http(url) => format!("{system}+{}", redact(url)),
        _ => backend.to_owned(),
    }
}

fn refuse(text: &str) -> String {
    match hides_a_password(text) || text.contains('@') {
        true => format!("a subject is not shown, since it may have a password: {ACCEPTED}"),
        false => format!("'{}' is no subject: {ACCEPTED}", redact(text)),
    }
}

fn shell_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]

    use super::*;

    #[test]
    fn parses_a_name_a_url_and_a_backend() {
        let table = [
            (
                "Jaeger 2.20.0, http://127.0.0.1:4318, jaeger+http://127.0.0.1:16686",
                "Jaeger 2.20.0",
                "http://127.0.0.1:4318/v1/traces",
            ),
            (
                "Zipkin 3, behind a Collector,http://h:1/otlp,zipkin+http://h",
                "Zipkin 3, behind a Collector",
                "http://h:1/otlp",
            ),
            ("x, http://h/, file:out", "x", "http://h/v1/traces"),
        ];
        for (text, expected, url) in table {
            let Subject::Backend(endpoints) = Subject::parse(text).unwrap() else {
                panic!("{text}");
            };
            assert_eq!(endpoints.name, expected);
            assert_eq!(endpoints.export.url().to_string(), url);
        }
    }

    #[test]
    fn refuses_the_rest_and_shows_no_password() {
        for text in [
            "",
            "Jaeger",
            "Jaeger, http://h",
            ", http://h, http://h",
            "x, h:1, http://h",
            "x, http://h, ",
            "x, http://h, ftp://h",
            "x, http://me:hunter2@h#x, http://h",
            "me:hunter2@h",
            "x, http://h, http://me:hunter2@h?token=hunter2",
        ] {
            let error = Subject::parse(text).unwrap_err();
            assert!(error.contains("http://"), "{text}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
        for text in ["", "Phoenix", "Phoenix: ", ": reason"] {
            assert!(Subject::parse_not_run(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_option_has_no_password_and_is_quoted() {
        let subject = Subject::parse("it's, http://me:hunter2@h, http://me:hunter2@h").unwrap();
        let option = subject.option();
        assert!(!option.contains("hunter2"), "{option}");
        assert!(
            option.starts_with(r"--subject 'it'\''s, http://"),
            "{option}"
        );
        for backend in [
            "jaeger+http://h:1",
            "http://h/traces",
            "file:a/b.jsonl",
            "out",
        ] {
            let text = format!("x, http://h, {backend}");
            let option = Subject::parse(&text).unwrap().option();
            assert_eq!(option, format!("--subject '{text}'"));
        }
        let hidden = Subject::parse("x, http://h, jaeger+http://me:hunter2@h").unwrap();
        assert!(!hidden.option().contains("hunter2"), "{}", hidden.option());
        let subject = Subject::parse_not_run("Phoenix: no reader").unwrap();
        assert_eq!(subject.option(), "--not-run 'Phoenix: no reader'");
    }
}
