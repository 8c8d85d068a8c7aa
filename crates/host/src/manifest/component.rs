//! `[component.<id>]`: the Wasm file of a component, and what it may do.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::{Variable, check_variable_name};
use crate::document::{Located, Table};
use crate::template::Template;

/// The only database that a component may open.
pub const DATABASE: &str = "default";

/// A component.
#[derive(Debug)]
pub struct Component {
    /// Its id.
    pub id: String,
    /// The Wasm file.
    pub source: PathBuf,
    /// Its variables: templates over the application's.
    pub variables: Vec<(String, Template)>,
    /// Its environment.
    pub environment: Vec<(String, String)>,
    /// The hosts that it may send requests to: templates over the application's variables.
    pub allowed_outbound_hosts: Vec<Located<Template>>,
    /// Whether it may open the database.
    pub sqlite: bool,
    /// How it is built.
    pub build: Option<Build>,
}

/// How a component is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build {
    /// Shell commands, one after the other.
    pub commands: Vec<String>,
    /// The folder that they run in.
    pub workdir: PathBuf,
    /// Patterns of the source files, relative to [`Build::workdir`].
    pub watch: Vec<String>,
}

pub(super) fn read(
    id: &Located<String>,
    mut table: Table<'_>,
    dir: &Path,
    declared: &[(Located<String>, Variable)],
) -> Result<Component> {
    check_id(id)?;
    if table.contains_table("source") {
        return Err(
            table.error("has a 'source' that is downloaded; only a file's path is supported")
        );
    }
    let source = dir.join(table.required_string("source")?.value);
    table.string("description")?;
    let variables = entries(&mut table, "variables")?
        .into_iter()
        .map(|(name, value)| {
            Ok((
                check_variable_name(name)?.value,
                template(&value, declared)?.value,
            ))
        })
        .collect::<Result<_>>()?;
    let environment = entries(&mut table, "environment")?
        .into_iter()
        .map(|(name, value)| (name.value, value.value))
        .collect();
    let allowed_outbound_hosts = table
        .strings("allowed_outbound_hosts")?
        .iter()
        .map(|host| template(host, declared))
        .collect::<Result<_>>()?;
    let databases = table.strings("sqlite_databases")?;
    if let Some(other) = databases.iter().find(|name| name.value != DATABASE) {
        let found = &other.value;
        return Err(other.error(format!(
            "the database '{found}' is not supported, only '{DATABASE}'"
        )));
    }
    let build = table
        .table("build", "the build")?
        .map(|table| read_build(table, dir))
        .transpose()?;
    table.refuse_unsupported()?;
    Ok(Component {
        id: id.value.clone(),
        source,
        variables,
        environment,
        allowed_outbound_hosts,
        sqlite: !databases.is_empty(),
        build,
    })
}

fn entries(
    table: &mut Table<'_>,
    key: &'static str,
) -> Result<Vec<(Located<String>, Located<String>)>> {
    match table.table(key, &format!("'{key}'"))? {
        None => Ok(Vec::new()),
        Some(entries) => entries.into_strings(),
    }
}

fn read_build(mut table: Table<'_>, dir: &Path) -> Result<Build> {
    let commands = table.string_or_strings("command")?;
    if commands.is_empty() {
        return Err(table.error("has no 'command'"));
    }
    let workdir = table
        .string("workdir")?
        .map_or(dir.to_owned(), |workdir| dir.join(workdir.value));
    let watch = table.strings("watch")?;
    table.refuse_unsupported()?;
    let values = |texts: Vec<Located<String>>| texts.into_iter().map(|text| text.value).collect();
    Ok(Build {
        commands: values(commands),
        workdir,
        watch: values(watch),
    })
}

fn template(
    text: &Located<String>,
    declared: &[(Located<String>, Variable)],
) -> Result<Located<Template>> {
    let template = Template::parse(&text.value).map_err(|problem| text.error(problem))?;
    let unknown = |name: &&str| !declared.iter().any(|(known, _)| known.value == **name);
    let missing = template.variables().find(unknown).map(str::to_owned);
    match missing {
        None => Ok(text.with(template)),
        Some(name) => Err(text.error(format!("there is no variable '{name}' in [variables]"))),
    }
}

fn check_id(id: &Located<String>) -> Result<()> {
    let word = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_alphabetic())
            && word.chars().all(|c| c.is_ascii_alphanumeric())
    };
    if id.value.split('-').all(word) {
        return Ok(());
    }
    let found = &id.value;
    Err(id.error(format!(
        "'{found}' is no component id: words of letters and digits, joined by '-'"
    )))
}
