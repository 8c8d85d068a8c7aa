//! Application variables: who provides their values, and what each component gets.
//!
//! As in Spin the first provider that knows a variable wins: `--variable`, then the runtime
//! configuration's providers in their order, then the environment with the prefix
//! `SPIN_VARIABLE`, then the manifest's default. All values are settled once, at start.

use std::collections::{HashMap, HashSet};
use std::env::{self, VarError};
use std::path::Path;

use anyhow::{Context as _, Result, anyhow, bail};

use crate::document::Document;
use crate::manifest::{Component, Manifest};

/// The values of one component's variables, by name.
pub type Values = HashMap<String, String>;

/// Knows the values of some variables.
#[derive(Debug)]
pub enum Provider {
    /// These values, by the variable's name.
    Static(Values),
    /// The environment, then a dotenv file; a variable's name there is
    /// `<prefix>_<NAME IN UPPER CASE>`.
    Env {
        /// What goes before the name.
        prefix: String,
        /// The dotenv file's entries.
        dotenv: Values,
    },
}

impl Provider {
    /// The environment with the prefix `SPIN_VARIABLE`, and the file `.env` in this folder.
    ///
    /// # Errors
    /// Where the file is malformed.
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

    fn get(&self, name: &str) -> Result<Option<String>> {
        match self {
            Provider::Static(values) => Ok(values.get(name).cloned()),
            Provider::Env { prefix, dotenv } => {
                let key = format!("{prefix}_{}", name.to_ascii_uppercase());
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

/// Reads the entries of a dotenv file.
///
/// # Errors
/// Where it can't be read, or is malformed.
pub fn read_dotenv(path: &Path) -> Result<Values> {
    dotenvy::from_path_iter(path)
        .and_then(Iterator::collect)
        .map_err(without_values)
        .with_context(|| format!("failed to read the dotenv file {}", path.display()))
}

/// What is wrong with a dotenv file; of a line no more than the name, since the rest may be a secret.
fn without_values(error: dotenvy::Error) -> anyhow::Error {
    match error {
        dotenvy::Error::LineParse(line, _) => match line.split_once('=') {
            Some((name, _)) => anyhow!("the value of {} is malformed", name.trim()),
            None => anyhow!("a line is not NAME=value"),
        },
        other => other.into(),
    }
}

/// Reads the values of `--variable`: `name=value`, `name=@file`, `@file.json` or `@file.toml`.
///
/// # Errors
/// One sentence with the word and what is accepted.
pub fn from_arguments(words: &[String]) -> Result<Values> {
    let mut values = Values::new();
    for (at, word) in words.iter().enumerate() {
        if let Some(path) = word.strip_prefix('@') {
            values.extend(from_file(Path::new(path))?);
            continue;
        }
        let Some((name, value)) = word.split_once('=') else {
            let number = at + 1;
            // It may be a secret whose name was forgotten.
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
        // serde_json's own words quote values.
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

/// The settled values of all application variables.
#[derive(Debug)]
pub struct Variables {
    values: Values,
    secret: HashSet<String>,
}

impl Variables {
    /// Asks the providers, in this order, for each variable of the manifest.
    ///
    /// # Errors
    /// Where a required variable has no value, or `--variable` names one that does not exist.
    pub fn settle(manifest: &Manifest, providers: &[Provider]) -> Result<Variables> {
        if let Some(Provider::Static(given)) = providers.first() {
            let known = |name: &&String| {
                manifest
                    .variables
                    .iter()
                    .any(|(known, _)| known.value == **name)
            };
            if let Some(unknown) = given.keys().find(|name| !known(name)) {
                let names: Vec<_> = manifest
                    .variables
                    .iter()
                    .map(|(name, _)| name.value.as_str())
                    .collect();
                bail!(
                    "there is no variable '{unknown}'; the manifest has {}",
                    names.join(", ")
                );
            }
        }
        let mut values = Values::new();
        for (name, variable) in &manifest.variables {
            let mut value = None;
            for provider in providers {
                value = provider.get(&name.value)?;
                if value.is_some() {
                    break;
                }
            }
            let Some(value) = value.or_else(|| variable.default.clone()) else {
                return Err(name.error(missing(&name.value, providers)));
            };
            values.insert(name.value.clone(), value);
        }
        let secret = manifest
            .variables
            .iter()
            .filter(|(_, variable)| variable.secret);
        let secret = secret.map(|(name, _)| name.value.clone()).collect();
        Ok(Variables { values, secret })
    }

    /// The value of a component's variable, as it may be shown: not where a secret is part of it.
    pub fn shown(&self, component: &Component, name: &str) -> Option<String> {
        let (_, template) = component
            .variables
            .iter()
            .find(|(known, _)| known == name)?;
        if template.variables().any(|name| self.secret.contains(name)) {
            return Some("(secret)".to_owned());
        }
        template.render(|name| self.get(name)).ok()
    }

    /// The values of a component's variables.
    ///
    /// # Errors
    /// Where a template names an unknown variable.
    pub fn of(&self, component: &Component) -> Result<Values> {
        component
            .variables
            .iter()
            .map(|(name, template)| Ok((name.clone(), template.render(|name| self.get(name))?)))
            .collect()
    }

    /// The value of an application variable.
    ///
    /// # Errors
    /// Where there is none of this name.
    pub fn get(&self, name: &str) -> Result<&str> {
        self.values
            .get(name)
            .map(String::as_str)
            .ok_or_else(|| anyhow!("there is no variable '{name}'"))
    }
}

fn missing(name: &str, providers: &[Provider]) -> String {
    let upper = name.to_ascii_uppercase();
    let keys = providers.iter().filter_map(|provider| match provider {
        Provider::Env { prefix, .. } => Some(format!("{prefix}_{upper}")),
        Provider::Static(_) => None,
    });
    let keys: Vec<_> = keys.collect();
    format!(
        "the required variable '{name}' has no value; set {} in the environment, or --variable {name}=…",
        keys.join(" or ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(variables: &str) -> Manifest {
        let text = format!(
            "spin_manifest_version = 2\napplication = {{ name = \"x\" }}\n\
             [[trigger.http]]\nroute = \"/\"\ncomponent = \"x\"\n\
             [component.x]\nsource = \"x\"\nvariables = {{ greeting = \"hi {{{{ name }}}}!\" }}\n\
             [variables]\n{variables}"
        );
        Manifest::parse(Document::new("spin.toml", &text), Path::new("")).unwrap()
    }

    fn given(pairs: &[(&str, &str)]) -> Provider {
        let pairs = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Provider::Static(pairs.collect())
    }

    fn env(prefix: &str, pairs: &[(&str, &str)]) -> Provider {
        let Provider::Static(dotenv) = given(pairs) else {
            unreachable!()
        };
        Provider::Env {
            prefix: prefix.to_owned(),
            dotenv,
        }
    }

    #[test]
    fn the_first_provider_that_knows_a_variable_wins() {
        let manifest = manifest("name = { default = \"d\" }\n");
        let unset = env("TT_UNIT", &[]);
        let set = env("TT_UNIT", &[("TT_UNIT_NAME", "e")]);
        let table: [(&[Provider], &str); 4] = [
            (&[], "d"),
            (&[given(&[]), unset], "d"),
            (&[given(&[]), set], "e"),
            (
                &[
                    given(&[("name", "g")]),
                    env("TT_UNIT", &[("TT_UNIT_NAME", "e")]),
                ],
                "g",
            ),
        ];
        for (providers, value) in table {
            let variables = Variables::settle(&manifest, providers).unwrap();
            assert_eq!(variables.get("name").unwrap(), value);
            assert_eq!(
                variables.of(&manifest.components[0]).unwrap(),
                [("greeting".to_owned(), format!("hi {value}!"))].into()
            );
        }
    }

    #[test]
    fn names_a_required_variable_without_a_value() {
        let manifest = manifest("name = { required = true }\n");
        let error = Variables::settle(
            &manifest,
            &[given(&[]), env("APP", &[]), env("SPIN_VARIABLE", &[])],
        );
        assert_eq!(
            error.unwrap_err().to_string(),
            "spin.toml:10: the required variable 'name' has no value; set APP_NAME or \
             SPIN_VARIABLE_NAME in the environment, or --variable name=…"
        );
    }

    #[test]
    fn shows_no_secret() {
        let shown = |variables: &str| {
            let manifest = manifest(variables);
            let settled = Variables::settle(&manifest, &[]).unwrap();
            settled.shown(&manifest.components[0], "greeting")
        };
        let open = shown("name = { default = \"x\" }\n");
        assert_eq!(open.as_deref(), Some("hi x!"));
        let secret = shown("name = { default = \"x\", secret = true }\n");
        assert_eq!(secret.as_deref(), Some("(secret)"));
    }

    #[test]
    fn names_an_unknown_variable_that_is_given() {
        let manifest = manifest("name = { default = \"\" }\n");
        let error = Variables::settle(&manifest, &[given(&[("nmae", "x")])]);
        assert_eq!(
            error.unwrap_err().to_string(),
            "there is no variable 'nmae'; the manifest has name"
        );
    }

    #[test]
    fn reads_arguments() {
        let words = |text: &str| from_arguments(&[text.to_owned()]);
        assert_eq!(
            words("a=b=c").unwrap(),
            [("a".to_owned(), "b=c".to_owned())].into()
        );
        assert_eq!(
            words("a").unwrap_err().to_string(),
            "--variable number 1: write name=value, name=@file, @file.json or @file.toml"
        );
        assert_eq!(
            words("@x.txt").unwrap_err().to_string(),
            "failed to read x.txt"
        );
    }

    #[test]
    fn quotes_no_value_of_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let table = [
            (".env", "TOKEN=\"hunter2", "the value of TOKEN is malformed"),
            (".env", "TOKEN: hunter2", "a line is not NAME=value"),
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
            let read = match name {
                ".env" => read_dotenv(&path),
                _ => from_arguments(&[format!("@{}", path.display())]),
            };
            let told = format!("{:#}", read.unwrap_err());
            assert!(told.contains(problem), "{told}");
            assert!(!told.contains("hunter2"), "{told}");
        }
    }
}
