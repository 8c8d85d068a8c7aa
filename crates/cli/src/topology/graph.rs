//! A mesh as a Mermaid flowchart.

use tracing_tail::settings::{
    APP_ERRORS, APP_FANOUT, APP_INCIDENTS, APP_LATENCY, APP_USES, Config, Values,
};
use tracing_tail::simulate::activity::{Activity, ActivityKind, Leaf};

use super::{Call, Queue, Service, Topology};

/// Draws a box for each service with its latency and errors, round for an entry point, and an arrow
/// for each call, with its position or `parallel`, and its share of requests. A queue is a box with double sides, between
/// dashed arrows. A store is a cylinder and an outside API a hexagon; what two services share is drawn once.
pub fn graph(topology: &Topology) -> String {
    let mut lines = vec!["flowchart LR".to_owned()];
    lines.extend(topology.services.iter().map(service_node));
    lines.extend(topology.queues.iter().enumerate().map(queue_node));
    let leaves: Vec<_> = topology.services.iter().map(leaves).collect();
    let mut drawn = Vec::new();
    for activity in leaves.iter().flatten() {
        if let Some(leaf) = new_leaf(activity, &mut drawn) {
            lines.push(leaf_node(drawn.len(), activity, leaf));
        }
    }
    for (service, leaves) in topology.services.iter().zip(&leaves) {
        let arrows = service.calls.iter().enumerate();
        lines.extend(arrows.map(|(at, call)| call_arrow(service, at, call)));
        lines.extend(publications(service, &topology.queues));
        lines.extend(leaves.iter().map(|leaf| leaf_arrow(service, leaf, &drawn)));
    }
    for (at, queue) in topology.queues.iter().enumerate() {
        lines.extend(deliveries(at, queue, &topology.queues));
    }
    lines.join("\n") + "\n"
}

fn service_node(service: &Service) -> String {
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

fn queue_node((at, queue): (usize, &Queue)) -> String {
    let mut label = format!("{}<br/>{}", queue.name.value, queue.system);
    if let Some(delay) = queue.get("delay") {
        label += &format!("<br/>{delay}");
    }
    for key in ["errors", "incidents"] {
        if let Some(value) = queue.get(key) {
            label += &format!("<br/>{key} {value}");
        }
    }
    if let Some(batch) = queue.get("batch") {
        label += &format!("<br/>batches of {batch}");
    }
    format!("    {}[[\"{label}\"]]", queue_id(at))
}

/// The leaves of a service, as it reads them itself.
fn leaves(service: &Service) -> Vec<Activity> {
    let mut values = Values::default();
    values.set(APP_USES, Ok(service.get(APP_USES).map(str::to_owned)));
    Config::read(&values).0.leaves
}

/// What a leaf is, by which those of several services are the same.
type LeafId = (String, &'static str);

fn leaf_id(activity: &Activity) -> Option<(LeafId, &Leaf)> {
    match &activity.kind {
        ActivityKind::Leaf(leaf) => Some(((activity.name.clone(), leaf.system.name), leaf)),
        ActivityKind::Step(_) => None,
    }
}

/// A leaf, unless it is drawn already.
fn new_leaf<'a>(activity: &'a Activity, drawn: &mut Vec<LeafId>) -> Option<&'a Leaf> {
    let (id, leaf) = leaf_id(activity)?;
    if drawn.contains(&id) {
        return None;
    }
    drawn.push(id);
    Some(leaf)
}

fn leaf_node(number: usize, activity: &Activity, leaf: &Leaf) -> String {
    let system = leaf.system.name;
    let label = format!("{}<br/>{system}", activity.name);
    match ["grpc", "http"].contains(&system) {
        true => format!("    leaf{number}{{{{\"{label}\"}}}}"),
        false => format!("    leaf{number}[(\"{label}\")]"),
    }
}

fn call_arrow(service: &Service, at: usize, call: &Call) -> String {
    let mut parts = Vec::new();
    match service.get(APP_FANOUT) {
        Some("parallel") => parts.push("parallel".to_owned()),
        _ if service.calls.len() > 1 => parts.push((at + 1).to_string()),
        _ => {}
    }
    parts.extend(call.percent.as_ref().map(|percent| share(percent)));
    let label = label(&parts);
    let (from, to) = (id(&service.id.value), id(&call.callee.value));
    format!("    {from} -->{label} {to}")
}

fn publications(service: &Service, queues: &[Queue]) -> impl Iterator<Item = String> {
    let from = id(&service.id.value);
    service.publishes.iter().filter_map(move |publication| {
        let to = position(queues, &publication.queue.value)?;
        let percent = publication.percent.iter().map(|percent| share(percent));
        let label = label(&percent.collect::<Vec<_>>());
        Some(format!("    {from} -.->{label} {}", queue_id(to)))
    })
}

fn leaf_arrow(service: &Service, activity: &Activity, drawn: &[LeafId]) -> String {
    let mut parts = Vec::new();
    match activity.calls {
        (1, 1) => {}
        (least, most) if least == most => parts.push(format!("{most} times")),
        (least, most) => parts.push(format!("{least}..{most} times")),
    }
    if activity.percent < 100.0 {
        parts.push(share(&activity.percent.to_string()));
    }
    let same = |(id, _): (LeafId, _)| drawn.iter().position(|known| *known == id);
    let number = leaf_id(activity).and_then(same).unwrap_or_default() + 1;
    let (from, label) = (id(&service.id.value), label(&parts));
    format!("    {from} -->{label} leaf{number}")
}

/// The arrows from a queue to its consumers, and to that of its dead letters.
fn deliveries(at: usize, queue: &Queue, queues: &[Queue]) -> impl Iterator<Item = String> {
    let from = queue_id(at);
    let consumers = queue.consumers.iter();
    let consumers = consumers.map({
        let from = from.clone();
        move |consumer| format!("    {from} -.-> {}", id(&consumer.value))
    });
    let dead = queue.dead_letter();
    let dead = dead.and_then(|name| position(queues, name));
    let dead = dead.map(|at| format!("    {from} -.->|\"dead letters\"| {}", queue_id(at)));
    consumers.chain(dead)
}

fn position(queues: &[Queue], name: &str) -> Option<usize> {
    queues.iter().position(|queue| queue.name.value == name)
}

fn share(percent: &str) -> String {
    format!("{percent} %")
}

fn label(parts: &[String]) -> String {
    match parts.is_empty() {
        true => String::new(),
        false => format!("|\"{}\"|", parts.join(", ")),
    }
}

/// In upper case, since Mermaid's keywords are in lower case.
fn id(service: &str) -> String {
    service.replace('-', "_").to_ascii_uppercase()
}

/// By number, since names of queues may differ in what no id has. No service's id is in lower case.
fn queue_id(at: usize) -> String {
    format!("queue{}", at + 1)
}
