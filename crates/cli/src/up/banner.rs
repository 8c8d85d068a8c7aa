//! The banner: where the application is served, how to try it, and where its spans go.

use std::collections::BTreeSet;

use tracing_tail::settings::{OTLP_DEFAULT_ENDPOINT, OTLP_ENDPOINT, Setting};
use tracing_tail_host::manifest::{self, Manifest, Route, Trigger};
use tracing_tail_host::variables::Variables;
use tracing_tail_redact::redact;

use crate::destinations::endpoint;

/// The route of the trace viewer.
const VIEWER: &str = "/traces/...";
/// The viewer's variable for the token that it requires.
const VIEWER_TOKEN: &str = "app_viewer_token";

/// Where an application is served.
#[derive(Debug, Clone, Copy)]
pub(super) struct Served<'a> {
    pub(super) url: &'a str,
    /// A line about the ports of OTLP.
    pub(super) otlp: Option<&'a str>,
    /// The viewer's token, if it was made for this run and is printed here alone.
    pub(super) made_token: Option<&'a str>,
}

/// The banner of an application.
pub(super) fn banner(manifest: &Manifest, variables: &Variables, served: Served<'_>) -> String {
    let Served {
        url,
        otlp,
        made_token,
    } = served;
    let mut lines = vec![String::new()];
    if let Some(viewer) = viewer(manifest) {
        let requires_token = requires_token(manifest, variables, &viewer.component.value);
        let token = requires_token.then(|| made_token.unwrap_or("<APP_VIEWER_TOKEN>"));
        lines.push(format!("Traces {url}{}", page(token)));
    }
    lines.push(format!("Serving {url}"));
    for trigger in &manifest.triggers {
        let component = &trigger.component.value;
        lines.push(match &trigger.route {
            Route::Public(route) => format!("  {component}: {url}{}", route.value),
            Route::Private => format!("  {component}: http://{component}.spin.internal (private)"),
        });
    }
    let path = process_path(manifest);
    lines.push(format!(
        "Try:   curl -X POST {url}{path} -H \"Content-Type: application/json\" -d '[\"item1\", \"item2\"]'"
    ));
    let components = manifest.components.iter();
    let endpoints = components.filter_map(|component| endpoint(component, variables));
    let endpoints: BTreeSet<_> = endpoints
        .map(|(setting, url)| (redact(&url), named(setting)))
        .collect();
    let endpoints = endpoints.iter();
    lines.extend(endpoints.map(|(url, setting)| format!("Spans: {url} ({setting})")));
    lines.extend(otlp.map(str::to_owned));
    lines.join("\n")
}

/// The path of the page, for whoever has the token.
pub(super) fn page(token: Option<&str>) -> String {
    let query = token.map_or_else(String::new, |token| format!("?token={token}"));
    format!("/traces/{query}")
}

/// The setting that says where spans go. A manifest's default is changed by the first of them.
fn named(setting: Setting) -> &'static str {
    match setting {
        OTLP_DEFAULT_ENDPOINT => OTLP_ENDPOINT.env,
        given => given.env,
    }
}

/// The trigger of the trace viewer's page.
pub(super) fn viewer(manifest: &Manifest) -> Option<&Trigger> {
    let is_viewer = |trigger: &&Trigger| matches!(&trigger.route, Route::Public(route) if route.value == VIEWER);
    manifest.triggers.iter().find(is_viewer)
}

/// Whether the viewer requires a token.
fn requires_token(manifest: &Manifest, variables: &Variables, viewer: &str) -> bool {
    let viewer = manifest::find(manifest, viewer);
    let values = viewer.and_then(|viewer| variables.of_component(viewer));
    values.is_ok_and(|values| {
        values
            .get(VIEWER_TOKEN)
            .is_some_and(|token| !token.trim().is_empty())
    })
}

/// The path of `/process`: at the top, or under the first route with a wildcard.
pub(super) fn process_path(manifest: &Manifest) -> String {
    const PROCESS: &str = "/process";
    let under = |trigger: &Trigger| match &trigger.route {
        Route::Public(route) => Some(format!("{}{PROCESS}", route.value.strip_suffix("/...")?)),
        Route::Private => None,
    };
    let at_the_top = manifest.routes.find(PROCESS).map(|_| PROCESS.to_owned());
    at_the_top
        .or_else(|| manifest.triggers.iter().find_map(under))
        .unwrap_or_else(|| PROCESS.to_owned())
}
