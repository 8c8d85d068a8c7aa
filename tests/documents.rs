//! The manifests and the pages of settings agree with the code.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use tracing_tail::settings::{
    APP_ALLOWED_HOST, APP_NAME, OTLP_DEFAULT_ENDPOINT, OTLP_ENDPOINT, SETTINGS, Setting,
};
use tracing_tail_host::document::Document;
use tracing_tail_host::manifest::{Manifest, find};
use tracing_tail_host::variables::Variables;
use tracing_tail_viewer::settings;

use crate::harness::{Test, tests};
use crate::support::repository;

pub(crate) const TESTS: &[Test] = tests! {
    sync: [
        the_manifest_maps_every_setting_with_its_default,
        the_chained_services_differ_only_in_their_own_settings,
        each_page_of_settings_lists_every_setting_with_its_default,
        the_viewer_has_its_settings_with_their_defaults,
        the_manifest_for_wasi_0_2_differs_only_in_source_and_build,
        the_manifest_without_viewer_lacks_nothing_else,
        the_component_for_other_hosts_is_built_like_the_one_for_wasi_0_2,
    ]
};

/// The receiver in `spin.toml`; without a manifest, and without a viewer, it is the original's collector.
const VIEWER: &str = "http://viewer.spin.internal/v1/traces";

fn manifest() -> Manifest {
    let text = fs::read_to_string(repository().join("spin.toml")).unwrap();
    Manifest::parse(Document::new("spin.toml", &text), Path::new("")).unwrap()
}

/// The application variable of a setting: its environment name without the provider's prefix.
fn variable(setting: &Setting) -> String {
    setting.env.split_once('_').unwrap().1.to_ascii_lowercase()
}

fn the_manifest_maps_every_setting_with_its_default() {
    let manifest = manifest();
    let resolved = Variables::resolve(&manifest, &[]).unwrap();
    let of_tracing_tail = resolved
        .of_component(find(&manifest, "tracing-tail").unwrap())
        .unwrap();
    for setting in SETTINGS {
        let default = match setting {
            // Empty, so that OpenTelemetry's names for the same come before the default.
            APP_NAME | OTLP_ENDPOINT => "",
            _ => setting.default,
        };
        let variable = resolved.get(&variable(&setting)).unwrap();
        assert_eq!(variable, default, "{}", setting.env);
        let mapped = of_tracing_tail.get(&setting.variable()).map(String::as_str);
        let read = setting != APP_ALLOWED_HOST;
        assert_eq!(mapped, read.then_some(default), "{}", setting.env);
    }
    // The viewer receives the spans, if there is one.
    let default = &of_tracing_tail[&OTLP_DEFAULT_ENDPOINT.variable()];
    assert_eq!(default, VIEWER);
    assert_eq!(
        of_tracing_tail.len(),
        SETTINGS.len() - 1 + 1,
        "nothing else is mapped"
    );
}

fn the_chained_services_differ_only_in_their_own_settings() {
    let manifest = manifest();
    let resolved = Variables::resolve(&manifest, &[]).unwrap();
    let first = find(&manifest, "tracing-tail").unwrap();
    for (id, own) in [
        ("service-b", "b_propagators"),
        ("service-c", "c_propagators"),
    ] {
        let chained = find(&manifest, id).unwrap();
        assert_eq!(chained.source, first.source);
        let mut expected = resolved.of_component(first).unwrap();
        expected.insert("app_name".to_owned(), id.to_owned());
        // A list of its own comes before the shared one.
        let shared = &expected["otel_propagators"];
        let propagators = format!("{} else {shared}", resolved.get(own).unwrap());
        expected.insert("otel_propagators".to_owned(), propagators);
        assert_eq!(resolved.of_component(chained).unwrap(), expected);
        let hosts = |component: &tracing_tail_host::manifest::Component| {
            let hosts = component.allowed_outbound_hosts.iter();
            hosts.map(|host| host.value.clone()).collect::<Vec<_>>()
        };
        assert_eq!(hosts(chained), hosts(first));
    }
}

fn each_page_of_settings_lists_every_setting_with_its_default() {
    for name in ["docs/settings.md", "docs/settings.pt-BR.md"] {
        let page = fs::read_to_string(repository().join(name)).unwrap();
        for setting in SETTINGS {
            let default = match (setting, setting.default) {
                (OTLP_ENDPOINT, _) => &format!("`{VIEWER}`"),
                (_, "") => "(empty)",
                (_, default) => &format!("`{default}`"),
            };
            let row = format!("| `{}` | {default} |", setting.env);
            assert!(page.contains(&row), "{name} lacks the row {row}");
        }
    }
}

fn the_viewer_has_its_settings_with_their_defaults() {
    let manifest = manifest();
    let resolved = Variables::resolve(&manifest, &[]).unwrap();
    let viewer = resolved
        .of_component(find(&manifest, "viewer").unwrap())
        .unwrap();
    let settings = settings::SETTINGS;
    assert_eq!(viewer.len(), settings.len(), "nothing else is mapped");
    for (env, default) in settings {
        let name = env.strip_prefix("APP_").unwrap().to_ascii_lowercase();
        // The form sends its requests to the mesh of this manifest.
        let here = match (env, default) == settings::PROCESS {
            true => "/chain/process",
            false => default,
        };
        assert_eq!(viewer[&env.to_ascii_lowercase()], here, "{env}");
        assert_eq!(resolved.get(&name).unwrap(), here, "{env}");
        let row = match default {
            "" => format!("| `{env}` | (empty) |"),
            default => format!("| `{env}` | `{default}` |"),
        };
        for name in ["docs/settings.md", "docs/settings.pt-BR.md"] {
            let page = fs::read_to_string(repository().join(name)).unwrap();
            assert!(page.contains(&row), "{name} lacks the row {row}");
        }
    }
}

/// The lines of a manifest, without comments of their own, and with the blanks of aligned ones as one.
fn lines(text: &str) -> Vec<String> {
    let lines = text.trim().lines().filter(|line| !line.starts_with('#'));
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    lines
        .map(words)
        .skip_while(String::is_empty)
        .collect::<Vec<_>>()
}

fn the_manifest_for_wasi_0_2_differs_only_in_source_and_build() {
    let read = |name| fs::read_to_string(repository().join(name)).unwrap();
    let [wasip3, wasip2] = ["spin.toml", "spin.wasip2.toml"].map(|name| lines(&read(name)));
    assert_eq!(wasip3.len(), wasip2.len());
    for (one, other) in wasip3.iter().zip(&wasip2) {
        let key = one.split(" = ").next().unwrap();
        let differ = ["source", "command"].contains(&key) && other.starts_with(key);
        assert_eq!(one != other, differ, "{one}\n{other}");
        let folder = other.replace("target/wasip2", "target");
        let built = folder.replace("--no-default-features --features wasip2 ", "");
        assert_eq!(*one, built, "only the folder and the feature differ");
    }
}

/// Without the viewer, spans go to the collector.
fn the_manifest_without_viewer_lacks_nothing_else() {
    let read = |name| fs::read_to_string(repository().join(name)).unwrap();
    let of_viewer = |block: &&str| {
        let table = block.lines().find(|line| !line.starts_with('#'));
        table.is_some_and(|table| table.starts_with("[component.viewer"))
            || block.ends_with("component = \"viewer\"")
    };
    let whole = read("spin.wasip2.toml");
    let blocks = whole.trim().split("\n\n").filter(|block| !of_viewer(block));
    let expected = lines(&blocks.collect::<Vec<_>>().join("\n\n"))
        .into_iter()
        .filter(|line| !line.starts_with("viewer_") && !line.starts_with("app_viewer_"))
        .map(|line| line.replace(VIEWER, OTLP_ENDPOINT.default));
    let text = read("spin.no-viewer.toml");
    assert_eq!(lines(&text), expected.collect::<Vec<_>>());
    assert!(!lines(&text).join("\n").contains("viewer"));
    assert!(!text.contains("sqlite"), "a host without SQLite refuses it");
}

fn the_component_for_other_hosts_is_built_like_the_one_for_wasi_0_2() {
    let service = |name: &str| {
        let manifest = Manifest::load(&repository().join(name)).unwrap();
        let component = find(&manifest, "tracing-tail").unwrap();
        let build = component.build.as_ref().unwrap();
        let watch: BTreeSet<_> = build.watch.iter().cloned().collect();
        let source = component.source.display().to_string();
        (source, build.commands.clone(), watch)
    };
    let (source, commands, watch) = service("spin.wasip2.toml");
    let other = |text: &str| {
        text.replace("--features wasip2", "--features wasi-http")
            .replace("target/wasip2", "target/wasi-http")
    };
    let commands = commands.iter().map(|command| other(command)).collect();
    assert_eq!(
        service("spin.wasi-http.toml"),
        (other(&source), commands, watch)
    );
}
