//! The manifest and the README say what the code says.

use std::fs;
use std::path::Path;

use tracing_tail::config::{APP_ALLOWED_HOST, APP_NAME, SETTINGS, Setting};
use tracing_tail_host::document::Document;
use tracing_tail_host::manifest::{Manifest, find};
use tracing_tail_host::variables::Variables;

use crate::support::repository;

fn manifest() -> Manifest {
    let text = fs::read_to_string(repository().join("spin.toml")).unwrap();
    Manifest::parse(Document::new("spin.toml", &text), Path::new("")).unwrap()
}

/// The application variable of a setting: its environment name without the provider's prefix.
fn variable(setting: &Setting) -> String {
    setting.env.split_once('_').unwrap().1.to_ascii_lowercase()
}

#[test]
fn the_manifest_maps_every_setting_with_its_default() {
    let manifest = manifest();
    let settled = Variables::settle(&manifest, &[]).unwrap();
    let of_tracing_tail = settled
        .of(find(&manifest, "tracing-tail").unwrap())
        .unwrap();
    for setting in SETTINGS {
        let default = match setting {
            // Empty, so that `service.name` of the resource attributes comes before the default.
            APP_NAME => "",
            _ => setting.default,
        };
        let variable = settled.get(&variable(&setting)).unwrap();
        assert_eq!(variable, default, "{}", setting.env);
        let mapped = of_tracing_tail.get(&setting.variable()).map(String::as_str);
        let read = setting != APP_ALLOWED_HOST;
        assert_eq!(mapped, read.then_some(default), "{}", setting.env);
    }
    assert_eq!(
        of_tracing_tail.len(),
        SETTINGS.len() - 1,
        "nothing else is mapped"
    );
}

#[test]
fn the_chained_services_differ_only_in_their_own_settings() {
    let manifest = manifest();
    let settled = Variables::settle(&manifest, &[]).unwrap();
    let first = find(&manifest, "tracing-tail").unwrap();
    for id in ["service-b", "service-c"] {
        let chained = find(&manifest, id).unwrap();
        assert_eq!(chained.source, first.source);
        let mut expected = settled.of(first).unwrap();
        expected.insert("app_name".to_owned(), id.to_owned());
        assert_eq!(settled.of(chained).unwrap(), expected);
        let hosts = |component: &tracing_tail_host::manifest::Component| {
            let hosts = component.allowed_outbound_hosts.iter();
            hosts.map(|host| host.value.clone()).collect::<Vec<_>>()
        };
        assert_eq!(hosts(chained), hosts(first));
    }
}

#[test]
fn each_readme_lists_every_setting_with_its_default() {
    for name in ["README.md", "README.pt-BR.md"] {
        let readme = fs::read_to_string(repository().join(name)).unwrap();
        for setting in SETTINGS {
            let default = if setting.default.is_empty() {
                "(empty)"
            } else {
                &format!("`{}`", setting.default)
            };
            let row = format!("| `{}` | {default} |", setting.env);
            assert!(readme.contains(&row), "{name} lacks the row {row}");
        }
    }
}

#[test]
fn the_manifests_differ_only_in_source_and_build() {
    let lines = |name| {
        let text = fs::read_to_string(repository().join(name)).unwrap();
        let body = text.lines().filter(|line| !line.starts_with('#'));
        let body: Vec<_> = body.map(str::to_owned).collect();
        body.join("\n").trim().to_owned()
    };
    let (wasip3, wasip2) = (lines("spin.toml"), lines("spin.wasip2.toml"));
    assert_eq!(wasip3.lines().count(), wasip2.lines().count());
    for (one, other) in wasip3.lines().zip(wasip2.lines()) {
        let key = one.split(" = ").next().unwrap();
        let differ = ["source", "command"].contains(&key) && other.starts_with(key);
        assert_eq!(one != other, differ, "{one}\n{other}");
    }
}
