//! `[[trigger.http]]`: which component answers which requests.

use anyhow::Result;

use crate::document::{Located, Table};

/// An HTTP trigger: which component answers which requests.
#[derive(Debug)]
pub struct Trigger {
    /// The component's id.
    pub component: Located<String>,
    /// The requests that it takes.
    pub route: Route,
}

/// The requests of a trigger.
#[derive(Debug)]
pub enum Route {
    /// Requests from outside that match this pattern: `/exact`, `/wild/...`, `/named/:segment`.
    Public(Located<String>),
    /// Requests from other components only.
    Private,
}

pub(super) fn read_all(root: &mut Table<'_>) -> Result<Vec<Trigger>> {
    let Some(mut kinds) = root.table("trigger", "'trigger'")? else {
        return Err(root.error("has no [[trigger.http]]"));
    };
    let http = kinds.tables("http", "an HTTP trigger")?;
    if http.is_empty() {
        return Err(kinds.error("has no [[trigger.http]]"));
    }
    kinds.refuse_unsupported()?;
    http.into_iter().map(read).collect()
}

fn read(mut table: Table<'_>) -> Result<Trigger> {
    if table.contains_table("component") {
        return Err(table.error("has its component inline; name a [component.<id>] instead"));
    }
    table.string("id")?;
    let component = table.required_string("component")?;
    let route = if table.contains_table("route") {
        let mut route = table
            .table("route", "the route")?
            .expect("the route was just found to be a table");
        if !route.boolean("private")? {
            return Err(route.error("is neither a pattern nor { private = true }"));
        }
        route.refuse_unsupported()?;
        Route::Private
    } else {
        Route::Public(table.required_string("route")?)
    };
    if let Some(mut executor) = table.table("executor", "the executor")? {
        let kind = executor.required_string("type")?;
        if !matches!(kind.value.as_str(), "http" | "spin") {
            let found = &kind.value;
            return Err(kind.error(format!(
                "executor type '{found}' is not supported, only 'http'"
            )));
        }
        executor.refuse_unsupported()?;
    }
    table.refuse_unsupported()?;
    Ok(Trigger { component, route })
}

pub(super) fn refuse_duplicates(triggers: &[Trigger]) -> Result<()> {
    for (position, trigger) in triggers.iter().enumerate() {
        let Route::Public(route) = &trigger.route else {
            continue;
        };
        let taken = triggers[..position].iter().find(
            |earlier| matches!(&earlier.route, Route::Public(other) if other.value == route.value),
        );
        if let Some(earlier) = taken {
            let (pattern, owner) = (&route.value, &earlier.component.value);
            return Err(route.error(format!(
                "the route '{pattern}' belongs to component '{owner}' already"
            )));
        }
    }
    Ok(())
}
