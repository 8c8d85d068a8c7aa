//! A mesh as a Spin manifest.

use serde_json::Value;
use tracing_tail::settings::{
    APP_MAX_HOPS, APP_NAME, APP_URL_DESTINO, APP_VIEWER_TOKEN, OTEL_EXPORTER_OTLP_HEADERS,
    OTEL_EXPORTER_OTLP_TRACES_HEADERS, OTEL_PROPAGATORS, OTLP_DEFAULT_ENDPOINT, OTLP_ENDPOINT,
    Setting,
};

use super::{Code, Service, Topology, Wasi, calls, is_mapped, names, own, shared, viewer};

/// The hosts that every service may send requests to, as in the repository's own manifest.
pub(super) const ALLOWED_HOSTS: [&str; 6] = [
    "http://*.spin.internal",
    "http://localhost:*",
    "http://127.0.0.1:*",
    "http://[::1]:*",
    "http://collector:4318",
    "{{ allowed_host }}",
];
/// The service's package, and what follows cargo's arguments when it is built in its repository, as there.
pub(super) const PACKAGE: (&str, &str) = ("tracing-tail", " -- -C llvm-args=-inline-threshold=5");
/// The files that it is built from, as there.
pub(super) const WATCH: [&str; 5] = [
    "src/**/*.rs",
    "crates/redact/src/**/*.rs",
    "build.rs",
    "Cargo.toml",
    "Cargo.lock",
];

/// The manifest of the topology in `file`.
pub fn spin_toml(topology: &Topology, code: &Code, file: &str) -> String {
    let mut text = Text::default();
    // A comment holds no control characters, and a file's name may.
    let file = file.replace(char::is_control, "?");
    text.line(format!(
        "# Made by `tracing-tail mesh` from {file}: change that, and make this again."
    ));
    text.line("spin_manifest_version = 2");
    text.line("");
    text.line("[application]");
    text.line(format!("name = {}", quote(&topology.name)));
    text.line("version = \"0.1.0\"");
    variables(topology, code, &mut text);
    for service in &topology.services {
        text.line("");
        text.line("[[trigger.http]]");
        text.line(format!("route = {}", route(topology, service)));
        text.line(format!("component = {}", quote(&service.id.value)));
    }
    for route in viewer::ROUTES.iter().filter(|_| code.viewer.is_some()) {
        text.line("");
        text.line("[[trigger.http]]");
        text.line(format!("route = {}", quote(route)));
        text.line(format!("component = {}", quote(viewer::ID)));
    }
    for (at, service) in topology.services.iter().enumerate() {
        let id = &service.id.value;
        text.line("");
        text.line(format!("[component.{id}]"));
        text.line(format!("source = {}", quote(&code.source)));
        text.list("allowed_outbound_hosts", &ALLOWED_HOSTS);
        // Once is enough, since all have the same source.
        if let (0, Some(repository)) = (at, &code.repository) {
            let command = command(PACKAGE, code.wasi);
            build(id, (&command, &WATCH), repository, &mut text);
        }
        mappings(id, code, &mut text);
        if code.viewer.is_some() {
            text.mapping(APP_VIEWER_TOKEN, viewer::TOKEN);
        }
    }
    if let Some(source) = &code.viewer {
        viewer_component(source, code, &mut text);
    }
    text.0
}

fn viewer_component(source: &str, code: &Code, text: &mut Text) {
    let id = viewer::ID;
    text.line("");
    text.line("# Keeps the latest traces in .spin/sqlite_db.db, and shows them under /traces.");
    text.line(format!("[component.{id}]"));
    text.line(format!("source = {}", quote(source)));
    text.list("sqlite_databases", &["default"]);
    if let Some(repository) = &code.repository {
        let command = command(viewer::PACKAGE, code.wasi);
        build(id, (&command, &viewer::WATCH), repository, text);
    }
    text.line("");
    text.line(format!("[component.{id}.variables]"));
    for (name, ..) in viewer::VARIABLES {
        text.line(format!("app_{name} = \"{{{{ {name} }}}}\""));
    }
}

fn variables(topology: &Topology, code: &Code, text: &mut Text) {
    text.line("");
    text.line("# With runtime-config.toml each variable is the environment variable beside it.");
    text.line("[variables]");
    for service in &topology.services {
        text.line(format!("# {}", service.id.value));
        for setting in own() {
            let variable = names::of_service(&service.id.value, setting);
            let default = match setting {
                APP_URL_DESTINO => &topology.destinations(service),
                _ => service.own_value(setting),
            };
            let default = quote(default);
            let env = variable.to_ascii_uppercase();
            text.line(format!(
                "{variable} = {{ default = {default} }} # APP_{env}"
            ));
        }
    }
    text.line("# all");
    for setting in shared() {
        let secret = match setting {
            OTEL_EXPORTER_OTLP_HEADERS | OTEL_EXPORTER_OTLP_TRACES_HEADERS => ", secret = true",
            _ => "",
        };
        let default = match setting {
            APP_MAX_HOPS => max_hops(topology),
            // Then the other settings of the endpoint hold, or the manifest's own default.
            OTLP_ENDPOINT => String::new(),
            _ => setting.default.to_owned(),
        };
        let (variable, default) = (names::plain(setting), quote(&default));
        let env = setting.env;
        text.line(format!(
            "{variable} = {{ default = {default}{secret} }} # {env}"
        ));
    }
    if code.viewer.is_none() {
        return;
    }
    text.line("# the trace viewer");
    for (variable, default, is_secret) in viewer::VARIABLES {
        let secret = if is_secret { ", secret = true" } else { "" };
        let default = match variable {
            viewer::PROCESS => &process_path(topology),
            _ => default,
        };
        let (default, env) = (quote(default), variable.to_ascii_uppercase());
        text.line(format!(
            "{variable} = {{ default = {default}{secret} }} # APP_{env}"
        ));
    }
}

/// Where the first entry point answers.
fn process_path(topology: &Topology) -> String {
    let mut entries = topology.services.iter().filter(|service| service.entry);
    match (entries.next(), entries.next()) {
        (Some(first), Some(_)) => format!("/{}/process", first.id.value),
        _ => "/process".to_owned(),
    }
}

/// A chain in the topology is no cycle, however long it is, so it raises the maximum.
fn max_hops(topology: &Topology) -> String {
    let default = APP_MAX_HOPS.default.parse().unwrap_or_default();
    let longest = calls::longest_chain(&topology.services, &topology.queues);
    longest.max(default).to_string()
}

/// One entry point answers on `/process`, several on `/<service>/process`.
fn route(topology: &Topology, service: &Service) -> String {
    let entries = topology.services.iter().filter(|service| service.entry);
    match (service.entry, entries.count()) {
        (false, _) => "{ private = true }".to_owned(),
        (true, 1) => quote("/..."),
        (true, _) => quote(&format!("/{}/...", service.id.value)),
    }
}

/// How a package's component is built in the repository.
pub(super) fn command((package, last): (&str, &str), wasi: Wasi) -> String {
    let (features, folder) = (wasi.features(), wasi.target_dir());
    format!(
        "cargo rustc --package {package} --crate-type cdylib{features} --profile component --target wasm32-wasip2 --target-dir {folder}{last}"
    )
}

fn build(id: &str, (command, watch): (&str, &[&str]), repository: &str, text: &mut Text) {
    text.line("");
    text.line(format!("[component.{id}.build]"));
    text.line(format!("command = {}", quote(command)));
    text.line(format!("workdir = {}", quote(repository)));
    text.list("watch", watch);
}

fn mappings(id: &str, code: &Code, text: &mut Text) {
    text.line("");
    text.line(format!("[component.{id}.variables]"));
    text.line(format!("{} = {}", APP_NAME.variable(), quote(id)));
    for setting in own().filter(|setting| *setting != OTEL_PROPAGATORS) {
        text.mapping(setting, &names::of_service(id, setting));
    }
    for setting in shared().filter(is_mapped) {
        let shared = names::plain(setting);
        match setting {
            OTEL_PROPAGATORS => {
                let own = names::of_service(id, setting);
                text.mapping(setting, &format!("{own} }}}} else {{{{ {shared}"));
            }
            _ => text.mapping(setting, &shared),
        }
    }
    let endpoint = match code.viewer {
        Some(_) => viewer::ENDPOINT,
        None => OTLP_ENDPOINT.default,
    };
    let variable = OTLP_DEFAULT_ENDPOINT.variable();
    text.line(format!("{variable} = {}", quote(endpoint)));
}

/// A TOML string. JSON quotes in the same way, except for one character.
fn quote(text: &str) -> String {
    Value::from(text).to_string().replace('\x7f', "\\u007f")
}

#[derive(Default)]
struct Text(String);

impl Text {
    fn line(&mut self, line: impl AsRef<str>) {
        self.0.push_str(line.as_ref());
        self.0.push('\n');
    }

    fn list(&mut self, key: &str, items: &[&str]) {
        let items: Vec<_> = items.iter().map(|item| quote(item)).collect();
        self.line(format!("{key} = [{}]", items.join(", ")));
    }

    fn mapping(&mut self, setting: Setting, variable: &str) {
        self.line(format!("{} = \"{{{{ {variable} }}}}\"", setting.variable()));
    }
}
