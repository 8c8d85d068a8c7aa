//! Topologies: a mesh in one TOML file, with its services, their calls, and how they behave.
//!
//! ```toml
//! name = "shop"                      # default: the file's name
//! source = "tracing_tail.wasm"       # default: built from the repository around it
//! viewer = false                     # default: the trace viewer is there too, at /traces/
//!
//! [services.storefront]
//! entry = true                       # takes requests from outside
//! calls = ["catalog", "cart;p=60"]   # in this order; the cart for 60 % of requests
//! publishes = ["orders;p=30"]        # messages, for 30 % of requests
//! fanout = "parallel"                # and latency, errors, timeout, retries, incidents: as APP_FANOUT, …
//! propagators = ["b3", "baggage"]    # instead of OTEL_PROPAGATORS, which all others share
//! telemetry = ["span=lost;p=10", "clock=-2s"] # as APP_TELEMETRY_FAULTS
//!
//! [services.storefront.uses.sessions] # a leaf, whose calls are simulated: its keys as in APP_USES
//! system = "redis"
//!
//! [services.storefront.work.render]   # work inside: its keys as in APP_WORK
//! latency = "2ms"
//!
//! [queues.orders]
//! consumers = ["billing", "shipping"] # services, each of which gets each message
//! system = "kafka"                   # and delay, errors, incidents, batch, redeliver, dead_letter, correlation
//! ```
//!
//! It refuses, with the line: unknown keys, values that the service would refuse, names of services and queues that are not
//! there, queues that nobody publishes to, cycles of calls and queues, names that are malformed or clash, and a mesh
//! without an entry point.

use anyhow::Result;
use tracing_tail::settings::{
    APP_ALLOWED_HOST, APP_ERRORS, APP_FANOUT, APP_INCIDENTS, APP_LATENCY, APP_NAME, APP_RETRIES,
    APP_TELEMETRY_FAULTS, APP_TIMEOUT, APP_URL_DESTINO, APP_USES, APP_VIEWER_TOKEN, APP_WORK,
    Config, LEAF_KEYS, OTEL_PROPAGATORS, SETTINGS, STEP_KEYS, Setting, Values,
};
use tracing_tail::telemetry::propagation::Propagators;

use crate::traffic::plan::Plan;
use tracing_tail_host::document::{Document, Located, Table};

mod activities;
mod calls;
mod code;
mod graph;
mod names;
mod queues;
mod share;
mod spin_toml;
mod traffic;
mod viewer;
mod wasi;

pub use calls::Call;
pub use code::Code;
pub use graph::graph;
pub use queues::{Publication, Queue};
pub use spin_toml::spin_toml;
pub use viewer::TOKEN as VIEWER_TOKEN;
pub use wasi::Wasi;

/// The settings of a single service, by their keys. All other settings are shared.
const OWN: [(&str, Setting); 6] = [
    ("fanout", APP_FANOUT),
    ("latency", APP_LATENCY),
    ("errors", APP_ERRORS),
    ("incidents", APP_INCIDENTS),
    ("timeout", APP_TIMEOUT),
    ("retries", APP_RETRIES),
];

/// The settings of a single service that are tables of tables, by their keys, with what a table is and its keys.
const ACTIVITIES: [(&str, Setting, &str, &[&str]); 2] = [
    ("uses", APP_USES, "leaf", &LEAF_KEYS),
    ("work", APP_WORK, "step", &STEP_KEYS),
];

/// A mesh.
#[derive(Debug)]
pub struct Topology {
    /// The application's name.
    pub name: String,
    /// The component's file, if the topology names one.
    pub source: Option<String>,
    /// Whether it has the trace viewer.
    pub viewer: bool,
    /// The services, in the order of the file.
    pub services: Vec<Service>,
    /// The queues between them, in the order of the file.
    pub queues: Vec<Queue>,
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
    /// The services that it calls, in order.
    pub calls: Vec<Call>,
    /// The queues that it publishes to.
    pub publishes: Vec<Publication>,
    /// The names of its leaves and steps.
    pub activities: Vec<String>,
    settings: Vec<(Setting, String)>,
}

impl Topology {
    /// Whether a document is a topology rather than a manifest.
    pub fn is_topology(root: &Table<'_>) -> bool {
        root.contains("services") && !root.contains("spin_manifest_version")
    }

    /// Parses a topology. `name` is its name unless it has one of its own.
    ///
    /// # Errors
    /// If it is malformed; the message begins with the file and the line.
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
        let says_so = root.contains("viewer");
        let viewer = root.boolean("viewer")? || !says_so;
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
        let queues = match root.table("queues", "'queues'")? {
            Some(queues) => queues.into_tables("queue")?,
            None => Vec::new(),
        };
        let queues = queues
            .into_iter()
            .map(|(name, table)| Queue::read(name, table));
        let queues = queues.collect::<Result<Vec<_>>>()?;
        let traffic = root.table("traffic", "'traffic'")?;
        let traffic = traffic
            .map(|table| traffic::read(table, &services, &queues))
            .transpose()?;
        root.refuse_unknown()?;
        names::refuse_clashes(&services, viewer)?;
        calls::refuse_unknown(&services)?;
        queues::check(&services, &queues)?;
        calls::refuse_cycles(&services, &queues)?;
        Ok(Topology {
            name,
            source,
            viewer,
            services,
            queues,
            traffic,
        })
    }

    /// A service's value of APP_URL_DESTINO.
    fn destinations(&self, service: &Service) -> String {
        let mut entries: Vec<_> = service.calls.iter().map(Call::url).collect();
        entries.extend(queues::entries(service, &self.queues));
        entries.join(",")
    }
}

impl Service {
    fn read(id: Located<String>, mut table: Table<'_>) -> Result<Service> {
        names::check(&id)?;
        let entry = table.boolean("entry")?;
        let calls = table.strings("calls")?;
        let calls = calls.iter().map(Call::read).collect::<Result<_>>()?;
        let publishes = table.strings("publishes")?;
        let publishes = publishes.iter().map(Publication::read);
        let publishes = publishes.collect::<Result<_>>()?;
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
        if let Some(propagators) = propagators(&id.value, &mut table)? {
            settings.push((OTEL_PROPAGATORS, propagators));
        }
        if let Some(faults) = telemetry_faults(&id.value, &mut table)? {
            settings.push((APP_TELEMETRY_FAULTS, faults));
        }
        let mut activities = Vec::new();
        for each in ACTIVITIES {
            let names = &mut activities;
            settings.extend(activities::read(&id.value, &mut table, each, names)?);
        }
        table.refuse_unknown()?;
        Ok(Service {
            id,
            entry,
            calls,
            publishes,
            activities,
            settings,
        })
    }

    /// The value of the variable that a service has for itself, unless it is its own URLs.
    fn own_value(&self, setting: Setting) -> &str {
        let default = match setting {
            // Then the shared value holds.
            OTEL_PROPAGATORS => "",
            _ => setting.default,
        };
        self.get(setting).unwrap_or(default)
    }

    /// The value of a setting, if the service has one.
    fn get(&self, setting: Setting) -> Option<&str> {
        let found = self.settings.iter().find(|(given, _)| *given == setting);
        found.map(|(_, value)| value.as_str())
    }
}

/// Why the service would refuse a value; none if it accepts it.
fn refusal(setting: Setting, value: &str) -> Option<String> {
    let mut values = Values::default();
    values.set(setting, Ok(Some(value.to_owned())));
    let (_, problems) = Config::read(&values);
    let problem = problems.refused.into_iter().next()?;
    let named = format!("{}: ", setting.env);
    Some(problem.strip_prefix(&named).unwrap_or(&problem).to_owned())
}

/// A service's own value of OTEL_PROPAGATORS: a list of names, or text.
fn propagators(id: &str, table: &mut Table<'_>) -> Result<Option<String>> {
    let key = "propagators";
    let lists = table.string_or_strings(key)?;
    if lists.is_empty() {
        return Ok(None);
    }
    for list in &lists {
        let (_, problems) = Propagators::parse(&list.value);
        if let Some(problem) = problems.first() {
            return Err(list.error(format!("'{key}' of service '{id}': {problem}")));
        }
    }
    let names: Vec<_> = lists.iter().map(|list| list.value.as_str()).collect();
    let joined = names.join(",");
    match Propagators::parse(&joined).1.first() {
        None => Ok(Some(joined)),
        Some(problem) => {
            let first = &lists[0];
            Err(first.error(format!("'{key}' of service '{id}': {problem}")))
        }
    }
}

/// A service's value of APP_TELEMETRY_FAULTS: a list of faults, or text.
fn telemetry_faults(id: &str, table: &mut Table<'_>) -> Result<Option<String>> {
    let key = "telemetry";
    let mut joined = String::new();
    for faults in table.string_or_strings(key)? {
        if !joined.is_empty() {
            joined.push(',');
        }
        joined.push_str(&faults.value);
        // A second fault of a kind is refused, so all that there is so far is read.
        let alone = refusal(APP_TELEMETRY_FAULTS, &faults.value);
        if let Some(problem) = alone.or_else(|| refusal(APP_TELEMETRY_FAULTS, &joined)) {
            return Err(faults.error(format!("'{key}' of service '{id}': {problem}")));
        }
    }
    Ok((!joined.is_empty()).then_some(joined))
}

/// The settings that all services share.
fn shared() -> impl Iterator<Item = Setting> {
    SETTINGS.into_iter().filter(|setting| {
        let own = *setting != OTEL_PROPAGATORS && own().any(|own| own == *setting);
        // The token is the viewer's, if there is one.
        !own && ![APP_NAME, APP_VIEWER_TOKEN].contains(setting)
    })
}

/// The settings that each service has for itself, except its name. OTEL_PROPAGATORS is shared too: a service's own
/// value comes first.
fn own() -> impl Iterator<Item = Setting> {
    [APP_URL_DESTINO]
        .into_iter()
        .chain(OWN.map(|(_, setting)| setting))
        .chain([OTEL_PROPAGATORS, APP_TELEMETRY_FAULTS])
        .chain(ACTIVITIES.map(|(_, setting, ..)| setting))
}

/// Whether components of a mesh have a setting. The manifest itself uses one of the others, and a viewer the other.
fn is_mapped(setting: &Setting) -> bool {
    ![APP_ALLOWED_HOST, APP_VIEWER_TOKEN].contains(setting)
}

#[cfg(test)]
mod tests;
