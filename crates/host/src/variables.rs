//! Application variables: the providers of their values, and the values of each component.
//!
//! As in Spin the first provider that knows a variable wins: `--variable`, then the runtime
//! configuration's providers in their order, then the environment with the prefix
//! `SPIN_VARIABLE`, then the manifest's default. All values are resolved once, at start.

use std::collections::{HashMap, HashSet};

use anyhow::{Result, anyhow, bail};

use crate::allowed_hosts::{AllowedHosts, Entry};
use crate::manifest::{Component, Manifest};

mod arguments;
mod provider;

pub use arguments::from_arguments;
pub use provider::{Provider, read_dotenv};

/// The values of one component's variables, by name.
pub type Values = HashMap<String, String>;

/// The resolved values of all application variables.
#[derive(Debug)]
pub struct Variables {
    values: Values,
    secret: HashSet<String>,
}

impl Variables {
    /// Asks the providers, in this order, for each variable of the manifest.
    ///
    /// # Errors
    /// If a required variable has no value, or `--variable` names one that does not exist.
    pub fn resolve(manifest: &Manifest, providers: &[Provider]) -> Result<Variables> {
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

    /// The value of a component's variable, for messages: `(secret)` if a secret is part of it.
    pub fn display_value(&self, component: &Component, name: &str) -> Option<String> {
        let (_, template) = component
            .variables
            .iter()
            .find(|(known, _)| known == name)?;
        if template.variables().any(|name| self.secret.contains(name)) {
            return Some("(secret)".to_owned());
        }
        template.render(|name| self.get(name)).ok()
    }

    /// The value of an application variable, for messages: `(secret)` if it is one.
    pub fn display(&self, name: &str) -> &str {
        match self.secret.contains(name) {
            true => "(secret)",
            false => self.values.get(name).map_or("", String::as_str),
        }
    }

    /// The values of a component's variables.
    ///
    /// # Errors
    /// If a template names an unknown variable.
    pub fn of_component(&self, component: &Component) -> Result<Values> {
        component
            .variables
            .iter()
            .map(|(name, template)| Ok((name.clone(), template.render(|name| self.get(name))?)))
            .collect()
    }

    /// The hosts that a component may send requests to.
    ///
    /// # Errors
    /// If an entry is malformed; the message begins with its line.
    pub fn allowed_hosts(&self, component: &Component) -> Result<AllowedHosts> {
        let entries = component.allowed_outbound_hosts.iter().map(|template| {
            let text = template.value.render(|name| self.get(name))?;
            Entry::parse_rendered(&text).map_err(|problem| template.error(problem))
        });
        let entries: Vec<_> = entries.collect::<Result<_>>()?;
        Ok(AllowedHosts::new(entries.into_iter().flatten().collect()))
    }

    /// The value of an application variable.
    ///
    /// # Errors
    /// If there is none of this name.
    pub fn get(&self, name: &str) -> Result<&str> {
        self.values
            .get(name)
            .map(String::as_str)
            .ok_or_else(|| anyhow!("there is no variable '{name}'"))
    }
}

fn missing(name: &str, providers: &[Provider]) -> String {
    let keys = providers.iter().filter_map(|provider| provider.key(name));
    let keys: Vec<_> = keys.collect();
    format!(
        "the required variable '{name}' has no value; set {} in the environment, or --variable {name}=…",
        keys.join(" or ")
    )
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::document::Document;

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
            let variables = Variables::resolve(&manifest, providers).unwrap();
            assert_eq!(variables.get("name").unwrap(), value);
            assert_eq!(
                variables.of_component(&manifest.components[0]).unwrap(),
                [("greeting".to_owned(), format!("hi {value}!"))].into()
            );
        }
    }

    #[test]
    fn names_a_required_variable_without_a_value() {
        let manifest = manifest("name = { required = true }\n");
        let error = Variables::resolve(
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
    fn displays_no_secret() {
        let displayed = |variables: &str| {
            let manifest = manifest(variables);
            let resolved = Variables::resolve(&manifest, &[]).unwrap();
            resolved.display_value(&manifest.components[0], "greeting")
        };
        let open = displayed("name = { default = \"x\" }\n");
        assert_eq!(open.as_deref(), Some("hi x!"));
        let secret = displayed("name = { default = \"x\", secret = true }\n");
        assert_eq!(secret.as_deref(), Some("(secret)"));
    }

    #[test]
    fn names_an_unknown_variable_that_is_given() {
        let manifest = manifest("name = { default = \"\" }\n");
        let error = Variables::resolve(&manifest, &[given(&[("nmae", "x")])]);
        assert_eq!(
            error.unwrap_err().to_string(),
            "there is no variable 'nmae'; the manifest has name"
        );
    }
}
