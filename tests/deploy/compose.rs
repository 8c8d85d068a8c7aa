//! The compose file, and the configurations that it mounts.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{assert_only, assert_pinned, assert_wired, document, map, string, strings, text};
use crate::harness::{Test, tests};
use crate::support::repository;

pub(crate) const TESTS: &[Test] = tests! {
    sync: [
        the_compose_file_is_complete,
        a_plain_up_is_the_profile_jaeger,
        published_ports_match_the_documents,
        each_profile_has_one_collector_that_reaches_every_backend,
        grafana_queries_tempo_at_its_address,
    ]
};

const PROFILES: [&str; 2] = ["jaeger", "grafana"];

/// The compose file's services of a profile.
pub fn services(profile: &str) -> BTreeMap<String, Value> {
    let compose = document("deploy/compose/compose.yaml");
    let services = map(&compose, "services").clone().into_iter();
    services
        .filter(|(_, service)| strings(service, "profiles").contains(&profile))
        .collect()
}

/// Published ports: (port of this machine, service, port of the container).
fn published(services: &BTreeMap<String, Value>) -> Vec<(u16, &str, u16)> {
    let each = services.iter().flat_map(|(name, service)| {
        strings(service, "ports").into_iter().map(move |port| {
            let ports = port.strip_prefix("127.0.0.1:").expect(port);
            let (machine, container) = ports.split_once(':').expect(port);
            (
                machine.parse().unwrap(),
                name.as_str(),
                container.parse().unwrap(),
            )
        })
    });
    each.collect()
}

/// A collector's configuration, of files laid over each other as the collector does it.
fn collector(files: &[&str]) -> Value {
    fn lay(over: Value, under: &mut Value) {
        match (over, under) {
            (Value::Object(over), Value::Object(under)) => {
                for (key, value) in over {
                    lay(value, under.entry(key).or_insert(Value::Null));
                }
            }
            (over, under) => *under = over,
        }
    }
    let mut config = Value::Null;
    for file in files {
        lay(document(file), &mut config);
    }
    config
}

fn the_compose_file_is_complete() {
    let compose = document("deploy/compose/compose.yaml");
    assert_only(
        "the file",
        compose.as_object().unwrap(),
        &["name", "services"],
    );
    let services = map(&compose, "services");
    for (name, service) in services {
        let known = [
            "profiles",
            "image",
            "command",
            "environment",
            "volumes",
            "ports",
            "depends_on",
        ];
        assert_only(name, service.as_object().unwrap(), &known);
        assert_pinned(string(service, "/image"));
        let profiles = strings(service, "profiles");
        assert!(
            !profiles.is_empty(),
            "{name} would run beside every profile"
        );
        for profile in &profiles {
            assert!(PROFILES.contains(profile), "{name}: profile {profile}");
        }
        for needed in strings(service, "depends_on") {
            let theirs = strings(&services[needed], "profiles");
            let there = profiles.iter().all(|profile| theirs.contains(profile));
            assert!(there, "{name} runs without {needed}");
        }
        let command = strings(service, "command").join(" ");
        for volume in strings(service, "volumes") {
            let [from, to, "ro"] = volume.split(':').collect::<Vec<_>>()[..] else {
                panic!("{name}: {volume}");
            };
            let file = repository().join("deploy/compose").join(from);
            assert!(file.is_file(), "{name}: {from} is not there");
            let read = command.contains(to) || to.starts_with("/etc/grafana/provisioning/");
            assert!(read, "{name}: nobody reads {to}");
        }
        for file in command.split(' ').filter_map(|word| word.split_once("=/")) {
            let mounted = strings(service, "volumes").join(" ");
            assert!(
                mounted.contains(&format!(":/{}:", file.1)),
                "{name}: /{}",
                file.1
            );
        }
    }
}

fn a_plain_up_is_the_profile_jaeger() {
    let lines = text("deploy/compose/.env");
    let settings = lines.lines().filter(|line| !line.starts_with('#'));
    assert_eq!(settings.collect::<Vec<_>>(), ["COMPOSE_PROFILES=jaeger"]);
    assert_eq!(
        text("deploy/compose/.gitignore"),
        "!.env\n",
        "the one of the root ignores it"
    );
    let names = |profile| services(profile).into_keys().collect::<Vec<_>>();
    assert_eq!(names("jaeger"), ["collector", "jaeger"]);
    assert_eq!(
        names("grafana"),
        ["collector-grafana", "grafana", "jaeger", "tempo"]
    );
}

fn published_ports_match_the_documents() {
    let (readme, page) = (text("README.md"), text("docs/deploy.md"));
    for profile in PROFILES {
        let services = services(profile);
        let published = published(&services);
        let ports: BTreeSet<u16> = published.iter().map(|(port, ..)| *port).collect();
        assert_eq!(ports.len(), published.len(), "{profile}: a port twice");
        assert!(!ports.contains(&3000), "the app listens there");
        for (port, service, container) in published {
            let (url, inside) = match service {
                "jaeger" => (format!("<http://localhost:{port}>"), 16686),
                "grafana" => (format!("<http://localhost:{port}>"), 3000),
                _ => (
                    format!("OTLP_ENDPOINT=http://localhost:{port}/v1/traces"),
                    4318,
                ),
            };
            assert_eq!(container, inside, "{service}");
            assert!(page.contains(&url), "docs/deploy.md lacks {url}");
            assert!(
                service == "grafana" || readme.contains(&url),
                "README.md lacks {url}"
            );
        }
    }
    let published: BTreeSet<u16> = PROFILES
        .into_iter()
        .flat_map(|profile| {
            published(&services(profile))
                .iter()
                .map(|it| it.0)
                .collect::<Vec<_>>()
        })
        .collect();
    for after in page.split("http://localhost:").skip(1) {
        let port: String = after.chars().take_while(char::is_ascii_digit).collect();
        assert!(
            published.contains(&port.parse().unwrap()),
            "nothing publishes {port}"
        );
    }
}

fn each_profile_has_one_collector_that_reaches_every_backend() {
    for profile in PROFILES {
        let services = services(profile);
        let collectors: Vec<_> = services
            .iter()
            .filter(|(_, service)| string(service, "/image").contains("opentelemetry-collector"))
            .collect();
        let [(name, service)] = collectors[..] else {
            panic!("{profile} has {} collectors", collectors.len());
        };
        let files: Vec<_> = strings(service, "command")
            .into_iter()
            .map(|word| word.replace("--config=/etc/otelcol/", "deploy/compose/"))
            .collect();
        let config = collector(&files.iter().map(String::as_str).collect::<Vec<_>>());
        let port = assert_wired(&config, "http");
        assert!(
            published(&services).contains(&(port, name, port)),
            "{name}: {port}"
        );
        let mut backends = BTreeSet::new();
        for (exporter, settings) in map(&config, "exporters") {
            assert!(exporter.starts_with("otlp_http/"), "{exporter}");
            let endpoint = string(settings, "/endpoint")
                .strip_prefix("http://")
                .unwrap();
            let (host, port) = endpoint.split_once(':').unwrap();
            let listens = match host {
                "tempo" => {
                    let tempo = document("deploy/compose/tempo.yaml");
                    string(
                        &tempo["distributor"],
                        "/receivers/otlp/protocols/http/endpoint",
                    )
                    .replace("0.0.0.0:", "")
                }
                _ => "4318".to_owned(),
            };
            assert_eq!(port, listens, "{exporter}");
            assert!(
                strings(service, "depends_on").contains(&host),
                "{name}: {host}"
            );
            backends.insert(host.to_owned());
        }
        let stores = services
            .keys()
            .filter(|name| ["jaeger", "tempo"].contains(&name.as_str()));
        assert_eq!(backends, stores.cloned().collect(), "{profile}");
    }
}

fn grafana_queries_tempo_at_its_address() {
    let provisioned = document("deploy/compose/grafana-datasources.yaml");
    let port = &document("deploy/compose/tempo.yaml")["server"]["http_listen_port"];
    let source = &provisioned["datasources"][0];
    assert_eq!(source["type"], "tempo");
    assert_eq!(source["url"], format!("http://tempo:{port}"));
}
