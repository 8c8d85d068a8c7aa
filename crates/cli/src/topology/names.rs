//! The names of services, and the names of their variables.

use std::collections::HashMap;

use anyhow::Result;
use tracing_tail::settings::Setting;

use super::{Service, own, shared, viewer};
use tracing_tail_host::document::Located;

/// Refuses a name that is not both a host name and a component id.
pub(super) fn check(id: &Located<String>) -> Result<()> {
    let word = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_lowercase())
            && word
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
    };
    if id.value.split('-').all(word) {
        return Ok(());
    }
    let found = &id.value;
    Err(id.error(format!(
        "'{found}' is no service name: lower-case words of letters and digits, joined by '-', such as cart-db"
    )))
}

/// Refuses two settings with the same variable, and services that are in the viewer's way.
pub(super) fn refuse_clashes(services: &[Service], has_viewer: bool) -> Result<()> {
    let mut taken: HashMap<_, _> = shared()
        .map(|setting| (plain(setting), format!("{} of all services", setting.env)))
        .collect();
    let of_viewer = viewer::VARIABLES.iter().filter(|_| has_viewer);
    taken.extend(of_viewer.map(|(name, ..)| ((*name).to_owned(), "the viewer's".to_owned())));
    let entries = services.iter().filter(|service| service.entry).count();
    for service in services {
        let id = &service.id.value;
        let route = format!("/{id}/...");
        let in_the_way = match service.entry && entries > 1 {
            _ if !has_viewer => None,
            _ if id == viewer::ID => Some("the component"),
            true if viewer::ROUTES.contains(&route.as_str()) => Some("the route"),
            _ => None,
        };
        if let Some(what) = in_the_way {
            return Err(service.id.error(format!(
                "service '{id}' would have {what} of the trace viewer; choose another name, or write viewer = false"
            )));
        }
        for setting in own() {
            let variable = of_service(id, setting);
            let meaning = format!("{} of service '{id}'", setting.env);
            if let Some(other) = taken.insert(variable.clone(), meaning) {
                return Err(service.id.error(format!(
                    "service '{id}' needs the variable '{variable}', which is {other}; choose another name"
                )));
            }
        }
    }
    Ok(())
}

/// The application variable of a setting: its environment name without the provider's prefix.
pub(super) fn plain(setting: Setting) -> String {
    let after = setting.env.split_once('_').map_or("", |(_, after)| after);
    after.to_ascii_lowercase()
}

/// The application variable of a service's own setting.
pub(super) fn of_service(id: &str, setting: Setting) -> String {
    format!("{}_{}", id.replace('-', "_"), plain(setting))
}
