//! The providers of variables: fixed values, the environment, and dotenv files.

use std::env::{self, VarError};
use std::path::Path;

use anyhow::{Context as _, Result, anyhow, bail};

use super::Values;

/// A provider of variables.
#[derive(Debug)]
pub enum Provider {
    /// Fixed values, by the variable's name.
    Static(Values),
    /// The environment, then a dotenv file. A variable is called `<prefix>_<NAME IN UPPER CASE>` there.
    Env {
        /// The prefix of names.
        prefix: String,
        /// The dotenv file's entries.
        dotenv: Values,
    },
}

impl Provider {
    /// The environment with the prefix `SPIN_VARIABLE`, and the file `.env` in this folder.
    ///
    /// # Errors
    /// If the file is malformed.
    pub fn fallback() -> Result<Provider> {
        let dotenv = Path::new(".env");
        let dotenv = if dotenv.exists() {
            read_dotenv(dotenv)?
        } else {
            Values::new()
        };
        Ok(Provider::Env {
            prefix: "SPIN_VARIABLE".to_owned(),
            dotenv,
        })
    }

    /// The environment variable that it looks a variable up in; none of fixed values.
    pub fn key(&self, name: &str) -> Option<String> {
        match self {
            Provider::Static(_) => None,
            Provider::Env { prefix, .. } => Some(key(prefix, name)),
        }
    }

    pub(super) fn get(&self, name: &str) -> Result<Option<String>> {
        match self {
            Provider::Static(values) => Ok(values.get(name).cloned()),
            Provider::Env { prefix, dotenv } => {
                let key = key(prefix, name);
                match env::var(&key) {
                    Ok(value) => Ok(Some(value)),
                    Err(VarError::NotPresent) => Ok(dotenv.get(&key).cloned()),
                    Err(VarError::NotUnicode(_)) => {
                        bail!("the environment variable {key} is not valid UTF-8")
                    }
                }
            }
        }
    }
}

fn key(prefix: &str, name: &str) -> String {
    format!("{prefix}_{}", name.to_ascii_uppercase())
}

/// Reads the entries of a dotenv file.
///
/// # Errors
/// If it can't be read, or is malformed. Values are not quoted.
pub fn read_dotenv(path: &Path) -> Result<Values> {
    dotenvy::from_path_iter(path)
        .and_then(Iterator::collect)
        .map_err(without_values)
        .with_context(|| format!("failed to read the dotenv file {}", path.display()))
}

/// Describes an error without the values of the file, which may be secrets.
fn without_values(error: dotenvy::Error) -> anyhow::Error {
    match error {
        dotenvy::Error::LineParse(line, _) => match line.split_once('=') {
            Some((name, _)) => anyhow!("the value of {} is malformed", name.trim()),
            None => anyhow!("a line is not NAME=value"),
        },
        other => other.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_no_value_of_a_dotenv_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".env");
        for (text, problem) in [
            ("TOKEN=\"hunter2", "the value of TOKEN is malformed"),
            ("TOKEN: hunter2", "a line is not NAME=value"),
        ] {
            std::fs::write(&path, text).unwrap();
            let error = format!("{:#}", read_dotenv(&path).unwrap_err());
            assert!(error.contains(problem), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
