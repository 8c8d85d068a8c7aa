//! `runtime-config.toml`: the providers of variables. The rest is refused with its name and line.
//!
//! Source: <https://spinframework.dev/v3/dynamic-configuration>.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::document::{Document, Table};
use crate::variables::{Provider, read_dotenv};

/// Reads the providers that the file at `path` names, in their order.
///
/// # Errors
/// If the file can't be read, is malformed, or has a key that is not supported. The message begins with the file and
/// the line.
pub fn load(path: &Path) -> Result<Vec<Provider>> {
    let text = std::fs::read_to_string(path).with_context(|| {
        format!(
            "failed to read the runtime configuration {}",
            path.display()
        )
    })?;
    parse(Document::new(&path.display().to_string(), &text))
}

fn parse(document: Document<'_>) -> Result<Vec<Provider>> {
    let mut root = document.root()?;
    let mut tables = root.tables("variables_provider", "a variables provider")?;
    // Spin's older name for it.
    let older = root.tables("config_provider", "a config provider")?;
    root.refuse_unsupported()?;
    tables.extend(older);
    tables.into_iter().map(provider).collect()
}

fn provider(mut table: Table<'_>) -> Result<Provider> {
    let kind = table.required_string("type")?;
    let provider = match kind.value.as_str() {
        "env" => {
            let prefix = table.string("prefix")?.map(|prefix| prefix.value);
            let dotenv = table
                .string("dotenv_path")?
                .map(|path| path.with(PathBuf::from(&path.value)));
            let dotenv = match dotenv {
                Some(path) => read_dotenv(&path.value)
                    .map_err(|problem| path.error(format!("{problem:#}")))?,
                None => Default::default(),
            };
            Provider::Env {
                prefix: prefix.unwrap_or_else(|| "SPIN_VARIABLE".to_owned()),
                dotenv,
            }
        }
        "static" => {
            let Some(values) = table.table("values", "'values'")? else {
                return Err(table.error("has no 'values'"));
            };
            let values = values.into_strings()?;
            Provider::Static(
                values
                    .into_iter()
                    .map(|(name, value)| (name.value, value.value))
                    .collect(),
            )
        }
        other => {
            return Err(kind.error(format!(
                "variables providers of type '{other}' are not supported by the embedded host, only 'env' and 'static'"
            )));
        }
    };
    table.refuse_unsupported()?;
    Ok(provider)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Provider>> {
        parse(Document::new("runtime-config.toml", text))
    }

    #[test]
    fn reads_providers_in_order_under_both_names() {
        for key in ["variables_provider", "config_provider"] {
            let providers = read(&format!(
                "[[{key}]]\ntype = \"env\"\nprefix = \"APP\"\n[[{key}]]\ntype = \"static\"\nvalues = {{ a = \"b\" }}\n"
            ));
            let providers = providers.unwrap();
            assert!(matches!(&providers[0], Provider::Env { prefix, .. } if prefix == "APP"));
            assert!(matches!(&providers[1], Provider::Static(values) if values["a"] == "b"));
        }
    }

    #[test]
    fn names_what_it_refuses() {
        let supports = "which the embedded host does not support; here it supports";
        let table = [
            ("[state]\n", format!("runtime-config.toml:1: the file has 'state', {supports} variables_provider, config_provider")),
            ("[[variables_provider]]\n", "runtime-config.toml:1: a variables provider has no 'type'".to_owned()),
            ("[[variables_provider]]\ntype = \"vault\"\n", "runtime-config.toml:2: variables providers of type 'vault' are not supported by the embedded host, only 'env' and 'static'".to_owned()),
            ("[[variables_provider]]\ntype = \"env\"\nurl = \"\"\n", format!("runtime-config.toml:3: a variables provider has 'url', {supports} type, prefix, dotenv_path")),
            ("[[variables_provider]]\ntype = \"static\"\n", "runtime-config.toml:1: a variables provider has no 'values'".to_owned()),
            ("[[variables_provider]]\ntype = \"static\"\nvalues = { a = 1 }\n", "runtime-config.toml:3: 'a' of 'values' is of type integer, not a string".to_owned()),
            ("variables_provider = 1\n", "runtime-config.toml:1: 'variables_provider' of the file is of type integer, not an array of tables".to_owned()),
        ];
        for (text, problem) in table {
            assert_eq!(read(text).unwrap_err().to_string(), problem);
        }
    }

    #[test]
    fn refuses_a_dotenv_file_that_does_not_exist() {
        let error = read("[[variables_provider]]\ntype = \"env\"\ndotenv_path = \"no/such\"\n");
        let problem = error.unwrap_err().to_string();
        assert!(
            problem.starts_with("runtime-config.toml:3: failed to read the dotenv file no/such: "),
            "{problem}"
        );
    }
}
