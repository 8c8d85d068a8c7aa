//! The values of `--variable`, from the command line or from files that it names.

use std::path::Path;

use anyhow::{Context as _, Result, anyhow, bail};

use super::Values;
use crate::document::Document;

/// Reads the values of `--variable`: `name=value`, `name=@file`, `@file.json` or `@file.toml`.
///
/// # Errors
/// If an argument is malformed; the message says which one, and what is accepted. Values are not quoted.
pub fn from_arguments(arguments: &[String]) -> Result<Values> {
    let mut values = Values::new();
    for (at, argument) in arguments.iter().enumerate() {
        if let Some(path) = argument.strip_prefix('@') {
            values.extend(from_file(Path::new(path))?);
            continue;
        }
        let Some((name, value)) = argument.split_once('=') else {
            let number = at + 1;
            // The argument may be a secret whose name was forgotten.
            bail!(
                "--variable number {number}: write name=value, name=@file, @file.json or @file.toml"
            );
        };
        let value = match value.strip_prefix('@') {
            Some(path) => read(Path::new(path))?,
            None => value.to_owned(),
        };
        values.insert(name.to_owned(), value);
    }
    Ok(values)
}

fn from_file(path: &Path) -> Result<Values> {
    let text = read(path)?;
    match path.extension().and_then(|extension| extension.to_str()) {
        // serde_json's own messages quote values.
        Some("json") => serde_json::from_str(&text).map_err(|error| {
            let (path, line) = (path.display(), error.line());
            anyhow!("{path}:{line}: it is no JSON object of strings")
        }),
        Some("toml") => {
            let name = path.display().to_string();
            let entries = Document::new(&name, &text).root()?.into_strings()?;
            Ok(entries
                .into_iter()
                .map(|(name, value)| (name.value, value.value))
                .collect())
        }
        _ => bail!(
            "--variable @{}: the file's name must end in .json or .toml",
            path.display()
        ),
    }
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("failed to read {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_arguments() {
        let parse = |text: &str| from_arguments(&[text.to_owned()]);
        assert_eq!(
            parse("a=b=c").unwrap(),
            [("a".to_owned(), "b=c".to_owned())].into()
        );
        assert_eq!(
            parse("a").unwrap_err().to_string(),
            "--variable number 1: write name=value, name=@file, @file.json or @file.toml"
        );
        assert_eq!(
            parse("@x.txt").unwrap_err().to_string(),
            "failed to read x.txt"
        );
    }

    #[test]
    fn quotes_no_value_of_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let table = [
            (
                "x.json",
                "{\"token\": \n[\"hunter2\"]}",
                "x.json:2: it is no JSON object",
            ),
            (
                "x.json",
                "\"hunter2\"",
                "x.json:1: it is no JSON object of strings",
            ),
            ("x.toml", "token = \"hunter2", "x.toml:1: "),
            ("x.toml", "token = hunter2", "x.toml:1: "),
        ];
        for (name, text, problem) in table {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            let values = from_arguments(&[format!("@{}", path.display())]);
            let error = format!("{:#}", values.unwrap_err());
            assert!(error.contains(problem), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
