//! `deploy/` and `docs/deploy.md` agree with each other, with the manifests and with the README.
//!
//! This checks what can be checked without Docker, a cluster or a cloud.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use tracing_tail::settings::{self, APP_ALLOWED_HOST, Config, Host, Problems, SETTINGS};
use tracing_tail_host::manifest::{Manifest, find};
use tracing_tail_host::variables::{Provider, Values, Variables, from_arguments};

use crate::harness::{Test, tests};
use crate::support::repository;

pub(crate) mod compose;
pub(crate) mod spinkube;

pub(crate) const TESTS: &[Test] = tests! {
    sync: [
        every_yaml_file_of_deploy_is_well_formed,
        the_fermyon_manifest_is_the_other_one_without_chaining,
        the_wasmcloud_workload_sets_what_the_component_reads,
        the_pages_commands_name_existing_things,
        the_page_names_settings_and_files_that_exist,
    ]
};

fn text(path: &str) -> String {
    fs::read_to_string(repository().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Parses YAML documents. Duplicate keys are an error.
fn parse(name: &str, text: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn documents(path: &str) -> Vec<Value> {
    parse(path, &text(path))
}

fn document(path: &str) -> Value {
    let mut documents = documents(path);
    assert_eq!(documents.len(), 1, "{path}");
    documents.remove(0)
}

fn manifest(path: &str) -> Manifest {
    Manifest::load(&repository().join(path)).unwrap()
}

fn map<'v>(value: &'v Value, key: &str) -> &'v Map<String, Value> {
    let found = value[key].as_object();
    found.unwrap_or_else(|| panic!("no map '{key}' in {value}"))
}

/// The strings of a list; none if there is no list.
fn strings<'v>(value: &'v Value, key: &str) -> Vec<&'v str> {
    let items = value[key].as_array().into_iter().flatten();
    items.map(|item| item.as_str().unwrap()).collect()
}

fn string<'v>(value: &'v Value, pointer: &str) -> &'v str {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found.unwrap_or_else(|| panic!("no string '{pointer}' in {value}"))
}

fn assert_pinned(image: &str) {
    let (_, tag) = image.rsplit_once(':').expect(image);
    let release = tag.split_once("-rc.").map_or(tag, |(release, _)| release);
    let numbers: Vec<_> = release.split('.').map(str::parse::<u32>).collect();
    let exact = numbers.len() == 3 && numbers.iter().all(Result::is_ok);
    assert!(exact, "{image} has no exact version");
}

fn assert_only(what: &str, object: &Map<String, Value>, known: &[&str]) {
    for key in object.keys() {
        assert!(known.contains(&key.as_str()), "{what} has the key '{key}'");
    }
}

/// Checks that every receiver, processor, exporter and extension is defined and used. Returns the port of the receiver, which is
/// of this protocol.
fn assert_wired(config: &Value, protocol: &str) -> u16 {
    let pipelines = map(&config["service"], "pipelines");
    assert_eq!(pipelines.keys().collect::<Vec<_>>(), ["traces"]);
    for kind in ["receivers", "processors", "exporters", "extensions"] {
        let defined = config[kind].as_object().into_iter().flatten();
        let defined: BTreeSet<_> = defined.map(|(name, _)| name.as_str()).collect();
        let user = match kind {
            "extensions" => &config["service"],
            _ => &pipelines["traces"],
        };
        assert_eq!(defined, strings(user, kind).into_iter().collect(), "{kind}");
    }
    let first = strings(&pipelines["traces"], "processors")[0];
    assert_eq!(first, "memory_limiter", "it refuses before others work");
    let endpoint = format!("/receivers/otlp/protocols/{protocol}/endpoint");
    let endpoint = string(config, &endpoint);
    endpoint.strip_prefix("0.0.0.0:").unwrap().parse().unwrap()
}

/// The resolved variables of a manifest with these values given.
fn resolve(manifest: &Manifest, given: Values) -> Variables {
    Variables::resolve(manifest, &[Provider::Static(given)]).unwrap()
}

/// Checks that no component finds one of its settings malformed, and that each may export its spans.
fn assert_accepted(manifest: &Manifest, variables: &Variables) {
    for component in &manifest.components {
        let values = variables.of_component(component).unwrap();
        let mut given = settings::Values::default();
        for setting in SETTINGS.into_iter().filter(|it| *it != APP_ALLOWED_HOST) {
            given.set(setting, Ok(values.get(&setting.variable()).cloned()));
        }
        let (_, problems) = Config::read(&given);
        assert_eq!(problems, Problems::default(), "{}", component.id);
        let endpoint = values["otlp_endpoint"].parse().unwrap();
        let allowed = variables.allowed_hosts(component).unwrap();
        assert!(allowed.allow(&endpoint), "{} -> {endpoint}", component.id);
    }
}

fn every_yaml_file_of_deploy_is_well_formed() {
    let files = walkdir::WalkDir::new(repository().join("deploy")).into_iter();
    let yaml: Vec<PathBuf> = files
        .map(|entry| entry.unwrap().into_path())
        .filter(|path| {
            path.extension()
                .is_some_and(|it| it == "yaml" || it == "yml")
        })
        .collect();
    assert!(yaml.len() >= 8, "{yaml:?}");
    for path in yaml {
        let name = path.display().to_string();
        for document in parse(&name, &fs::read_to_string(&path).unwrap()) {
            assert!(document.is_object(), "{name}: {document}");
        }
    }
}

fn the_fermyon_manifest_is_the_other_one_without_chaining() {
    let whole = manifest("spin.no-viewer.toml");
    let single = manifest("deploy/fermyon-cloud/spin.toml");
    let [component] = &single.components[..] else {
        panic!("one component");
    };
    let original = find(&whole, "tracing-tail").unwrap();
    let normal = |path: &Path| {
        path.components().fold(PathBuf::new(), |mut all, part| {
            match part {
                std::path::Component::ParentDir => drop(all.pop()),
                part => all.push(part),
            }
            all
        })
    };
    assert_eq!(normal(&component.source), normal(&original.source));
    for host in &component.allowed_outbound_hosts {
        let host = host.value.render(|_| Ok("")).unwrap();
        assert!(!host.contains("spin.internal"), "{host} would be refused");
    }

    let given = [
        "endpoint=https://otlp.example.com/v1/traces",
        "allowed_host=https://otlp.example.com",
    ];
    let given = || from_arguments(&given.map(str::to_owned)).unwrap();
    let (whole_values, single_values) = (resolve(&whole, given()), resolve(&single, given()));
    let mut of_original = whole_values.of_component(original).unwrap();
    // The endpoint is required.
    of_original.remove("otlp_default_endpoint");
    assert_eq!(
        single_values.of_component(component).unwrap(),
        of_original,
        "the same variables, with the same defaults"
    );
    let secrets = |manifest: &Manifest| {
        let secret = manifest.variables.iter().filter(|(_, it)| it.secret);
        let names = secret.map(|(name, _)| name.value.clone());
        names.collect::<Vec<_>>()
    };
    assert_eq!(secrets(&single), secrets(&whole));
    assert_accepted(&single, &single_values);
}

fn the_wasmcloud_workload_sets_what_the_component_reads() {
    let workload = document("deploy/wasmcloud/workload.yaml");
    let [component] = &workload["spec"]["template"]["spec"]["components"]
        .as_array()
        .unwrap()[..]
    else {
        panic!("one component");
    };
    assert_pinned(string(component, "/image"));
    let resources = &component["localResources"];
    let mut given = settings::Values::of(Host::WasiHttp);
    for (name, value) in map(&resources["environment"], "config") {
        let setting = SETTINGS.into_iter().find(|setting| setting.env == name);
        let setting = setting.unwrap_or_else(|| panic!("there is no setting {name}"));
        given.set(setting, Ok(Some(value.as_str().expect(name).to_owned())));
    }
    let (config, problems) = Config::read(&given);
    assert_eq!(problems, Problems::default());
    let collector = config.otlp_endpoint.unwrap();
    let allowed = strings(resources, "allowedHosts");
    assert!(
        allowed.contains(&collector.url().host().unwrap()),
        "{allowed:?}"
    );
}

fn the_pages_commands_name_existing_things() {
    let page = text("docs/deploy.md").replace("\\\n", " ");
    let commands = page
        .lines()
        .filter(|line| line.contains("--variable ") && !line.starts_with('|'));
    let mut seen = 0;
    for command in commands {
        let file = command
            .split(" -f ")
            .nth(1)
            .and_then(|it| it.split(' ').next());
        let file = file
            .filter(|it| it.ends_with(".toml"))
            .unwrap_or("spin.wasip2.toml");
        let manifest = manifest(file);
        for word in command.split("--variable ").skip(1) {
            let (name, value) = word.split_once('=').expect(command);
            let value = value
                .split(|c: char| c == '`' || c.is_whitespace())
                .next()
                .unwrap();
            let known = manifest
                .variables
                .iter()
                .any(|(known, _)| known.value == name);
            assert!(known, "{file} has no variable {name}: {command}");
            assert!(
                !value.contains("/v1/traces") || name == "endpoint",
                "{command}"
            );
            seen += 1;
        }
    }
    assert!(seen >= 10, "only {seen} variables found");
}

fn the_page_names_settings_and_files_that_exist() {
    let page = text("docs/deploy.md");
    let word = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
    let words: BTreeSet<&str> = page
        .split(|c| !word(c))
        .map(|it| it.trim_end_matches('.'))
        .collect();
    let settings: BTreeSet<_> = SETTINGS.iter().map(|setting| setting.env).collect();
    let mut seen = 0;
    for word in &words {
        let prefixed = ["APP_", "OTLP_", "OTEL_"].iter().any(|prefix| {
            word.strip_prefix(prefix)
                .is_some_and(|rest| !rest.is_empty())
        });
        if prefixed {
            assert!(settings.contains(word), "there is no setting {word}");
            seen += 1;
        }
        let named = [".toml", ".yaml", ".rs", ".md"];
        if named.iter().any(|extension| word.ends_with(extension)) || word.starts_with("deploy/") {
            let there = ["", "docs"].map(|folder| repository().join(folder).join(word).exists());
            assert!(there.contains(&true), "there is no {word}");
            seen += 1;
        }
    }
    assert!(seen >= 9, "only {seen} found");
}
