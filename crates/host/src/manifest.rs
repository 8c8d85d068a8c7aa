//! `spin.toml`, version 2: the part of it that the embedded host supports. The rest is refused with its name and line.
//!
//! Source: <https://spinframework.dev/v3/manifest-reference>.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow};

use crate::document::{Document, Located, Table};
use crate::routes::Routes;

mod component;
mod trigger;

pub use component::{Build, Component, DATABASE};
pub use trigger::{Route, Trigger};

/// An application.
#[derive(Debug)]
pub struct Manifest {
    /// The folder of the manifest, from which its paths start.
    pub dir: PathBuf,
    /// The application's name.
    pub name: String,
    /// The application's version, if it has one.
    pub version: Option<String>,
    /// The application's variables, by name.
    pub variables: Vec<(Located<String>, Variable)>,
    /// The HTTP triggers.
    pub triggers: Vec<Trigger>,
    /// The triggers' public routes.
    pub routes: Arc<Routes>,
    /// The components that a trigger names.
    pub components: Vec<Component>,
}

/// An application variable.
#[derive(Debug)]
pub struct Variable {
    /// The value if no provider has one; none if the variable is required.
    pub default: Option<String>,
    /// Whether its value must not be printed.
    pub secret: bool,
}

impl Manifest {
    /// Reads the manifest at `path`: the file, or a folder with a `spin.toml`.
    ///
    /// # Errors
    /// If the file can't be read, or as [`Manifest::parse`].
    pub fn load(path: &Path) -> Result<Manifest> {
        let path = if path.is_dir() {
            path.join("spin.toml")
        } else {
            path.to_owned()
        };
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("failed to read the manifest {}", path.display()))?;
        let dir = folder(&path);
        Manifest::parse(Document::new(&path.display().to_string(), &text), dir)
    }

    /// Parses a manifest whose paths start at `dir`.
    ///
    /// # Errors
    /// If it is malformed, or has a key that is not supported. The message is one sentence, which begins with the
    /// file and the line.
    ///
    /// ```
    /// use std::path::Path;
    /// use tracing_tail_host::document::Document;
    /// use tracing_tail_host::manifest::Manifest;
    ///
    /// let text = r#"
    /// spin_manifest_version = 2
    /// application = { name = "hello" }
    ///
    /// [[trigger.http]]
    /// route = "/..."
    /// component = "hello"
    ///
    /// [component.hello]
    /// source = "hello.wasm"
    /// "#;
    /// let manifest = Manifest::parse(Document::new("spin.toml", text), Path::new("app"))?;
    /// assert_eq!(manifest.components[0].source, Path::new("app/hello.wasm"));
    ///
    /// let typing_error = text.replace("source", "sorce");
    /// let error = Manifest::parse(Document::new("spin.toml", &typing_error), Path::new("app"));
    /// assert_eq!(error.unwrap_err().to_string(), "spin.toml:9: component 'hello' has no 'source'");
    /// # Ok::<(), anyhow::Error>(())
    /// ```
    pub fn parse(document: Document<'_>, dir: &Path) -> Result<Manifest> {
        let mut root = document.root()?;
        match root.integer("spin_manifest_version")? {
            None => return Err(root.error("has no 'spin_manifest_version = 2'")),
            Some(version) if version.value != "2" => {
                let found = &version.value;
                return Err(
                    version.error(format!("manifest version {found} is not supported, only 2"))
                );
            }
            Some(_) => {}
        }
        let (name, version) = application(&mut root)?;
        let variables = match root.table("variables", "'variables'")? {
            None => Vec::new(),
            Some(table) => table
                .into_tables("variable")?
                .into_iter()
                .map(|(name, table)| Ok((check_variable_name(name)?, variable(table)?)))
                .collect::<Result<_>>()?,
        };
        let triggers = trigger::read_all(&mut root)?;
        let components = match root.table("component", "'component'")? {
            None => Vec::new(),
            Some(table) => table
                .into_tables("component")?
                .into_iter()
                .map(|(id, table)| component::read(&id, table, dir, &variables))
                .collect::<Result<Vec<_>>>()?,
        };
        root.refuse_unsupported()?;
        for trigger in &triggers {
            let id = &trigger.component.value;
            if !components.iter().any(|component| component.id == *id) {
                return Err(trigger
                    .component
                    .error(format!("there is no component '{id}'")));
            }
        }
        trigger::refuse_duplicates(&triggers)?;
        let patterns = triggers.iter().filter_map(|trigger| match &trigger.route {
            Route::Public(pattern) => Some((pattern, trigger.component.value.as_str())),
            Route::Private => None,
        });
        let routes = Arc::new(Routes::new(patterns)?);
        Ok(Manifest {
            dir: dir.to_owned(),
            name,
            version,
            variables,
            triggers,
            routes,
            components,
        })
    }
}

fn application(root: &mut Table<'_>) -> Result<(String, Option<String>)> {
    let Some(mut table) = root.table("application", "'application'")? else {
        return Err(root.error("has no [application] table"));
    };
    let name = table.required_string("name")?;
    let version = table.string("version")?.map(|version| version.value);
    table.string("description")?;
    table.strings("authors")?;
    table.refuse_unsupported()?;
    Ok((name.value, version))
}

fn variable(mut table: Table<'_>) -> Result<Variable> {
    let default = table.string("default")?.map(|default| default.value);
    let required = table.boolean("required")?;
    let secret = table.boolean("secret")?;
    table.string("description")?;
    match (required, &default) {
        (false, None) => Err(table.error("has neither a 'default' nor 'required = true'")),
        (true, Some(_)) => Err(table.error("has a 'default' and is 'required': only one can be")),
        _ => table
            .refuse_unsupported()
            .map(|()| Variable { default, secret }),
    }
}

fn check_variable_name(name: Located<String>) -> Result<Located<String>> {
    let text = name.value.as_str();
    let shaped = text.starts_with(|c: char| c.is_ascii_lowercase())
        && !text.ends_with('_')
        && !text.contains("__")
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if shaped {
        return Ok(name);
    }
    Err(name.error(format!(
        "'{text}' is no variable name: lower-case letters, digits and single underscores, a letter first"
    )))
}

/// The component `id` of the manifest.
///
/// # Errors
/// If there is none.
pub fn find<'m>(manifest: &'m Manifest, id: &str) -> Result<&'m Component> {
    manifest
        .components
        .iter()
        .find(|component| component.id == id)
        .ok_or_else(|| anyhow!("there is no component '{id}'"))
}

/// The folder of a file, from which its paths start.
pub fn folder(file: &Path) -> &Path {
    match file.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALID: &str = r#"
spin_manifest_version = 2

[application]
name = "demo"
version = "1.2.3"

[variables]
latency = { default = "0" }
token = { required = true, secret = true }

[[trigger.http]]
route = "/..."
component = "front"

[[trigger.http]]
route = { private = true }
component = "back"

[component.front]
source = "front.wasm"
allowed_outbound_hosts = ["http://{{ latency }}.example.com", "http://*.spin.internal"]
[component.front.variables]
app_latency = "{{ latency }}ms"
[component.front.environment]
LEVEL = "info"
[component.front.build]
command = ["one", "two"]
workdir = "sub"
watch = ["src/**/*.rs"]

[component.back]
source = "back.wasm"
"#;

    fn parse(text: &str) -> Result<Manifest> {
        Manifest::parse(Document::new("spin.toml", text), Path::new("app"))
    }

    #[test]
    fn reads_a_manifest() {
        let manifest = parse(VALID).unwrap();
        assert_eq!(
            (manifest.name.as_str(), manifest.version.as_deref()),
            ("demo", Some("1.2.3"))
        );
        let names: Vec<_> = manifest
            .variables
            .iter()
            .map(|(name, _)| name.value.as_str())
            .collect();
        assert_eq!(names, ["latency", "token"]);
        assert!(
            matches!(&manifest.triggers[0].route, Route::Public(route) if route.value == "/...")
        );
        assert!(matches!(manifest.triggers[1].route, Route::Private));
        let front = find(&manifest, "front").unwrap();
        assert_eq!(front.source, Path::new("app/front.wasm"));
        assert_eq!(front.environment, [("LEVEL".to_owned(), "info".to_owned())]);
        assert_eq!(front.allowed_outbound_hosts.len(), 2);
        assert_eq!(
            front.build,
            Some(Build {
                commands: vec!["one".to_owned(), "two".to_owned()],
                workdir: "app/sub".into(),
                watch: vec!["src/**/*.rs".to_owned()],
            })
        );
    }

    /// Each row changes one line of [`VALID`], and the error names the line that is wrong.
    #[test]
    fn names_what_it_refuses_and_its_line() {
        let supports = "which the embedded host does not support; here it supports";
        let table = [
            ("spin_manifest_version = 2", "", "spin.toml:1: the file has no 'spin_manifest_version = 2'".to_owned()),
            ("spin_manifest_version = 2", "spin_manifest_version = 1", "spin.toml:2: manifest version 1 is not supported, only 2".to_owned()),
            ("name = \"demo\"", "", "spin.toml:4: 'application' has no 'name'".to_owned()),
            ("name = \"demo\"", "name = 5", "spin.toml:5: 'name' of 'application' is of type integer, not a string".to_owned()),
            ("name = \"demo\"", "name = \"demo", "spin.toml:5: invalid basic string, expected `\"`".to_owned()),
            ("version = \"1.2.3\"", "trigger = {}", format!("spin.toml:6: 'application' has 'trigger', {supports} name, version, description, authors")),
            ("latency = { default = \"0\" }", "Latency = { default = \"0\" }", "spin.toml:9: 'Latency' is no variable name: lower-case letters, digits and single underscores, a letter first".to_owned()),
            ("latency = { default = \"0\" }", "latency = {}", "spin.toml:9: variable 'latency' has neither a 'default' nor 'required = true'".to_owned()),
            ("secret = true", "default = \"x\"", "spin.toml:10: variable 'token' has a 'default' and is 'required': only one can be".to_owned()),
            ("latency = { default = \"0\" }", "latency = \"0\"", "spin.toml:9: 'latency' of 'variables' is of type string, not a table".to_owned()),
            ("[[trigger.http]]\nroute = \"/...\"", "[[trigger.redis]]\nroute = \"/...\"", format!("spin.toml:12: 'trigger' has 'redis', {supports} http")),
            ("route = \"/...\"", "", "spin.toml:12: an HTTP trigger has no 'route'".to_owned()),
            ("route = { private = true }", "route = { private = false }", "spin.toml:17: the route is neither a pattern nor { private = true }".to_owned()),
            ("component = \"front\"", "component = \"frond\"", "spin.toml:14: there is no component 'frond'".to_owned()),
            ("component = \"front\"", "component = { source = \"x\" }", "spin.toml:12: an HTTP trigger has its component inline; name a [component.<id>] instead".to_owned()),
            ("component = \"front\"", "component = \"front\"\nexecutor = { type = \"wagi\" }", "spin.toml:15: executor type 'wagi' is not supported, only 'http'".to_owned()),
            ("component = \"front\"", "static_response = {}", "spin.toml:12: an HTTP trigger has no 'component'".to_owned()),
            ("route = { private = true }", "route = \"/...\"", "spin.toml:17: the route '/...' belongs to component 'front' already".to_owned()),
            ("[component.back]", "[component.back_end]", "spin.toml:32: 'back_end' is no component id: words of letters and digits, joined by '-'".to_owned()),
            ("source = \"back.wasm\"", "", "spin.toml:32: component 'back' has no 'source'".to_owned()),
            ("source = \"back.wasm\"", "source = { url = \"x\", digest = \"y\" }", "spin.toml:32: component 'back' has a 'source' that is downloaded; only a file's path is supported".to_owned()),
            ("source = \"back.wasm\"", "source = \"back.wasm\"\nsqlite_databases = [\"default\", \"other\"]", "spin.toml:34: the database 'other' is not supported, only 'default'".to_owned()),
            ("source = \"back.wasm\"", "source = \"back.wasm\"\nfiles = []", format!("spin.toml:34: component 'back' has 'files', {supports} source, description, variables, environment, allowed_outbound_hosts, sqlite_databases, build")),
            ("app_latency = \"{{ latency }}ms\"", "app_latency = \"{{ latncy }}\"", "spin.toml:24: there is no variable 'latncy' in [variables]".to_owned()),
            ("app_latency = \"{{ latency }}ms\"", "app_latency = \"{{ latency\"", "spin.toml:24: '{{ latency' opens a '{{' that is never closed".to_owned()),
            ("{{ latency }}.example.com", "{{ nowhere }}", "spin.toml:22: there is no variable 'nowhere' in [variables]".to_owned()),
            ("command = [\"one\", \"two\"]", "", "spin.toml:27: the build has no 'command'".to_owned()),
            ("workdir = \"sub\"", "profile = \"x\"", format!("spin.toml:29: the build has 'profile', {supports} command, workdir, watch")),
            ("[component.back]", "[other]\n[component.back]", format!("spin.toml:32: the file has 'other', {supports} spin_manifest_version, application, variables, trigger, component")),
        ];
        for (line, replacement, problem) in table {
            assert!(VALID.contains(line), "{line}");
            let error = parse(&VALID.replacen(line, replacement, 1)).expect_err(replacement);
            assert_eq!(error.to_string(), problem);
        }
    }

    #[test]
    fn refuses_an_app_without_http() {
        let text = "spin_manifest_version = 2\n[application]\nname = \"x\"\n";
        assert_eq!(
            parse(text).unwrap_err().to_string(),
            "spin.toml:1: the file has no [[trigger.http]]"
        );
    }
}
