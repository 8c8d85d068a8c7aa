//! A mesh as a Mermaid flowchart.

use tracing_tail::settings::{APP_ERRORS, APP_FANOUT, APP_INCIDENTS, APP_LATENCY};

use super::{Call, Service, Topology};

/// Draws a box for each service with its latency and errors, round for an entry point, and an arrow
/// for each call, with its position or `parallel`, and its share of requests.
pub fn graph(topology: &Topology) -> String {
    let mut lines = vec!["flowchart LR".to_owned()];
    lines.extend(topology.services.iter().map(node));
    for service in &topology.services {
        let arrows = service.calls.iter().enumerate();
        lines.extend(arrows.map(|(at, call)| arrow(service, at, call)));
    }
    lines.join("\n") + "\n"
}

fn node(service: &Service) -> String {
    let mut label = service.id.value.clone();
    if let Some(latency) = service.get(APP_LATENCY) {
        label += &format!("<br/>{latency}");
    }
    if let Some(errors) = service.get(APP_ERRORS) {
        label += &format!("<br/>errors {errors}");
    }
    if let Some(incidents) = service.get(APP_INCIDENTS) {
        label += &format!("<br/>incidents {incidents}");
    }
    let id = id(&service.id.value);
    match service.entry {
        true => format!("    {id}([\"{label}\"])"),
        false => format!("    {id}[\"{label}\"]"),
    }
}

fn arrow(service: &Service, at: usize, call: &Call) -> String {
    let mut parts = Vec::new();
    match service.get(APP_FANOUT) {
        Some("parallel") => parts.push("parallel".to_owned()),
        _ if service.calls.len() > 1 => parts.push((at + 1).to_string()),
        _ => {}
    }
    if let Some(percent) = &call.percent {
        parts.push(format!("{percent} %"));
    }
    let label = match parts.is_empty() {
        true => String::new(),
        false => format!("|\"{}\"|", parts.join(", ")),
    };
    let (from, to) = (id(&service.id.value), id(&call.callee.value));
    format!("    {from} -->{label} {to}")
}

/// In upper case, since Mermaid's keywords are in lower case.
fn id(service: &str) -> String {
    service.replace('-', "_").to_ascii_uppercase()
}
