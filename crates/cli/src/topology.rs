//! A mesh on one page: which services there are, whom they call, and how they behave.
//!
//! ```toml
//! name = "shop"                      # default: the file's name
//! source = "tracing_tail.wasm"       # default: built from the repository around it
//!
//! [services.storefront]
//! entry = true                       # takes requests from outside
//! calls = ["catalog", "cart;p=60"]   # in this order; the cart for 60 % of requests
//! fanout = "parallel"                # and latency, errors, timeout, retries, incidents: as APP_FANOUT, …
//! ```
//!
//! The module `traffic` describes `[traffic]`. Refused by line: unknown keys, values that the service would refuse, calls to nobody, circles of
//! calls, names that do not fit or clash, and a mesh without an entry point.

use anyhow::Result;
use tracing_tail::config::{
    APP_ALLOWED_HOST, APP_ERRORS, APP_FANOUT, APP_INCIDENTS, APP_LATENCY, APP_NAME, APP_RETRIES,
    APP_TIMEOUT, APP_URL_DESTINO, APP_VIEWER_TOKEN, Config, SETTINGS, Setting, Values,
};
use tracing_tail_redact::redact;

use crate::traffic::plan::Plan;
use tracing_tail_host::document::{Document, Located, Table};

mod calls;
mod code;
mod graph;
mod names;
mod spin_toml;
mod traffic;

pub use code::Code;
pub use graph::graph;
pub use spin_toml::spin_toml;

/// The settings that a service may have for itself, by their keys; all others are shared.
const OWN: [(&str, Setting); 6] = [
    ("fanout", APP_FANOUT),
    ("latency", APP_LATENCY),
    ("errors", APP_ERRORS),
    ("incidents", APP_INCIDENTS),
    ("timeout", APP_TIMEOUT),
    ("retries", APP_RETRIES),
];

/// A mesh.
#[derive(Debug)]
pub struct Topology {
    /// The application's name.
    pub name: String,
    /// The component's file, where the page names one.
    pub source: Option<String>,
    /// The services, in the page's order.
    pub services: Vec<Service>,
    /// The requests to send while it runs.
    pub traffic: Option<Plan>,
}

/// A service of the mesh.
#[derive(Debug)]
pub struct Service {
    /// Its name, which is the component's id too.
    pub id: Located<String>,
    /// Whether it takes requests from outside.
    pub entry: bool,
    /// Whom it calls, in order.
    pub calls: Vec<Call>,
    settings: Vec<(Setting, String)>,
}

/// A call of one service to another.
#[derive(Debug)]
pub struct Call {
    /// Who is called.
    pub callee: Located<String>,
    /// For how many percent of requests, where not for all.
    pub percent: Option<String>,
}

impl Topology {
    /// Whether a document is a topology rather than a manifest.
    pub fn is_in(root: &Table<'_>) -> bool {
        root.holds("services") && !root.holds("spin_manifest_version")
    }

    /// Reads a topology; `name` is its name where it gives itself none.
    ///
    /// # Errors
    /// One sentence with the file, the line, and what is wrong.
    pub fn parse(document: Document<'_>, name: &str) -> Result<Topology> {
        let mut root = document.root()?;
        let name = match root.string("name")? {
            Some(given) if given.value.trim().is_empty() => {
                return Err(given.error("the name is empty"));
            }
            Some(given) => given.value,
            None => name.to_owned(),
        };
        let source = root.string("source")?.map(|source| source.value);
        let Some(services) = root.table("services", "'services'")? else {
            return Err(root.error("has no [services.<name>]"));
        };
        let services = services
            .into_tables("service")?
            .into_iter()
            .map(|(id, table)| Service::read(id, table))
            .collect::<Result<Vec<_>>>()?;
        if !services.iter().any(|service| service.entry) {
            return Err(root.error("has no service with 'entry = true'"));
        }
        let traffic = root.table("traffic", "'traffic'")?;
        let traffic = traffic
            .map(|table| traffic::read(table, &services))
            .transpose()?;
        root.finish_ours()?;
        names::refuse_clashes(&services)?;
        calls::refuse_unknown(&services)?;
        calls::refuse_circles(&services)?;
        Ok(Topology {
            name,
            source,
            services,
            traffic,
        })
    }
}

impl Service {
    fn read(id: Located<String>, mut table: Table<'_>) -> Result<Service> {
        names::check(&id)?;
        let entry = table.boolean("entry")?;
        let calls = table.strings("calls")?;
        let calls = calls.iter().map(Call::read).collect::<Result<_>>()?;
        let mut settings = Vec::new();
        for (key, setting) in OWN {
            let Some(value) = table.string_or_number(key)? else {
                continue;
            };
            if let Some(problem) = refusal(setting, &value.value) {
                let id = &id.value;
                return Err(value.error(format!("'{key}' of service '{id}': {problem}")));
            }
            settings.push((setting, value.value));
        }
        table.finish_ours()?;
        Ok(Service {
            id,
            entry,
            calls,
            settings,
        })
    }

    /// What the page says of a setting.
    fn get(&self, setting: Setting) -> Option<&str> {
        let found = self.settings.iter().find(|(given, _)| *given == setting);
        found.map(|(_, value)| value.as_str())
    }

    /// The value of APP_URL_DESTINO.
    fn destinations(&self) -> String {
        let urls: Vec<_> = self.calls.iter().map(Call::url).collect();
        urls.join(",")
    }
}

impl Call {
    fn read(text: &Located<String>) -> Result<Call> {
        let (callee, percent) = match text.value.split_once(';') {
            None => (text.value.as_str(), None),
            Some((callee, condition)) => {
                let percent = condition.trim().strip_prefix("p=");
                let Some(percent) = percent else {
                    let whole = redact(&text.value);
                    return Err(text.error(format!(
                        "'{whole}' is no call: write the service's name, and after it ;p=30 to call it for 30 % of requests"
                    )));
                };
                (callee, Some(percent.to_owned()))
            }
        };
        let call = Call {
            callee: text.with(callee.trim().to_owned()),
            percent,
        };
        match refusal(APP_URL_DESTINO, &call.url()) {
            None => Ok(call),
            Some(problem) => Err(text.error(problem)),
        }
    }

    fn url(&self) -> String {
        let base = format!("http://{}.spin.internal", self.callee.value);
        match &self.percent {
            None => base,
            Some(percent) => format!("{base};p={percent}"),
        }
    }
}

/// What the service itself says against a value.
fn refusal(setting: Setting, value: &str) -> Option<String> {
    let mut values = Values::default();
    values.set(setting, Ok(Some(value.to_owned())));
    let (_, problems) = Config::read(&values);
    let problem = problems.refused.into_iter().next()?;
    let named = format!("{}: ", setting.env);
    Some(problem.strip_prefix(&named).unwrap_or(&problem).to_owned())
}

/// The settings that all services share.
fn shared() -> impl Iterator<Item = Setting> {
    SETTINGS.into_iter().filter(|setting| {
        let own = OWN.iter().any(|(_, own)| own == setting);
        // A mesh has no viewer.
        !own && ![APP_NAME, APP_URL_DESTINO, APP_VIEWER_TOKEN].contains(setting)
    })
}

/// The settings that each service has for itself, its name aside.
fn own() -> impl Iterator<Item = Setting> {
    [APP_URL_DESTINO]
        .into_iter()
        .chain(OWN.map(|(_, setting)| setting))
}

/// Whether components have a setting; the manifest itself reads one, and a viewer wants the other, which a mesh
/// has not.
fn is_mapped(setting: &Setting) -> bool {
    ![APP_ALLOWED_HOST, APP_VIEWER_TOKEN].contains(setting)
}

#[cfg(test)]
mod tests;
