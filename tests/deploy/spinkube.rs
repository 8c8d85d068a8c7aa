//! The SpinApps, and the collector beside them.

use crate::harness::{Test, tests};
use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};
use tracing_tail_cli::application;
use tracing_tail_cli::topology::{Code, Topology, Wasi, spin_toml};
use tracing_tail_host::document::Document;
use tracing_tail_host::manifest::Manifest;
use tracing_tail_host::variables::Values;

use crate::support::repository;

use super::compose::services;
use super::{
    assert_accepted, assert_only, assert_pinned, assert_wired, document, documents, manifest, map,
    resolve, string, strings, text,
};

pub(crate) const TESTS: &[Test] = tests! {
    sync: [
        the_spin_apps_set_variables_that_their_manifests_have,
        the_spin_apps_export_to_the_clusters_collector,
    ]
};

/// The folders with a SpinApp.
const FOLDERS: [&str; 2] = ["services", "shop"];

/// What `kubectl kustomize` makes of a folder of SpinApps, as far as these need it: the documents of the folder, and the image that
/// takes the place of the SpinApp's.
fn kustomized(name: &str) -> (Vec<Value>, String) {
    let folder = format!("deploy/spinkube/{name}");
    let kustomization = document(&format!("{folder}/kustomization.yaml"));
    assert_eq!(kustomization["kind"], "Kustomization");
    assert_eq!(
        strings(&kustomization, "resources"),
        ["../collector", "app.yaml"]
    );
    let [images] = &strings(&kustomization, "configurations")[..] else {
        panic!("the place of images");
    };
    let images = document(&format!("{folder}/{images}"));
    assert_eq!(
        images["images"],
        json!([{ "kind": "SpinApp", "path": "spec/image" }])
    );
    let [image] = &kustomization["images"].as_array().unwrap()[..] else {
        panic!("one image");
    };
    let all = documents(&format!("{folder}/app.yaml"));
    assert_eq!(image["name"], all[1]["spec"]["image"], "the placeholder");
    let image = [string(image, "/newName"), string(image, "/newTag")].join(":");
    (all, image)
}

/// The manifest of the image of a folder.
fn manifest_of(name: &str) -> (&'static str, Manifest) {
    if name == "services" {
        return ("spin.no-viewer.toml", manifest("spin.no-viewer.toml"));
    }
    let path = repository().join("examples/shop/shop.toml");
    let topology = application::topology(&path).unwrap();
    let topology = Topology {
        viewer: false,
        ..topology
    };
    let dir = path.parent().unwrap();
    let code = Code::find(&topology, dir, dir, Some(Wasi::V02)).unwrap();
    let made = spin_toml(&topology, &code, "shop.toml");
    let made = Manifest::parse(Document::new("spin.toml", &made), dir).unwrap();
    ("examples/shop/spin.toml", made)
}

fn the_spin_apps_set_variables_that_their_manifests_have() {
    for name in FOLDERS {
        assert_variables(name);
    }
}

fn assert_variables(name: &str) {
    let (all, image) = kustomized(name);
    let [secret, app] = &all[..] else {
        panic!("a Secret and a SpinApp");
    };
    assert_eq!(
        (&secret["kind"], &app["kind"]),
        (&"Secret".into(), &"SpinApp".into())
    );
    assert_eq!(app["apiVersion"], "core.spinkube.dev/v1alpha1");
    let known = [
        "image",
        "executor",
        "replicas",
        "variables",
        "checks",
        "resources",
    ];
    assert_only("the SpinApp", map(app, "spec"), &known);
    assert_pinned(&image);
    assert!(image.contains("/your-account/"), "{image} is nobody's");
    let (file, manifest) = manifest_of(name);
    let push = format!("spin registry push -f {file} {image}");
    let page = text("docs/deploy.md");
    assert!(page.contains(&push), "{push}");
    let apply = format!("kubectl apply --kustomize deploy/spinkube/{name}");
    assert!(page.contains(&apply), "{apply}");

    let version = manifest.version.as_deref().unwrap();
    assert!(
        image.ends_with(&format!(":{version}")),
        "{image}: the app is {version}"
    );
    let mut given = Values::new();
    let mut from_secret = BTreeSet::new();
    for variable in app["spec"]["variables"].as_array().unwrap() {
        let name = string(variable, "/name").to_owned();
        let value = if let Some(reference) = variable.pointer("/valueFrom/secretKeyRef") {
            assert_eq!(reference["name"], secret["metadata"]["name"]);
            from_secret.insert(name.clone());
            string(
                &secret["stringData"],
                &format!("/{}", string(reference, "/key")),
            )
        } else {
            string(variable, "/value")
        };
        let before = given.insert(name.clone(), value.to_owned());
        assert_eq!(before, None, "{name} is there twice");
    }
    let secrets = manifest
        .variables
        .iter()
        .filter(|(_, variable)| variable.secret)
        // The headers of all signals are those of traces.
        .filter(|(name, _)| name.value != "exporter_otlp_traces_headers");
    let secrets = secrets.map(|(name, _)| name.value.clone());
    assert_eq!(
        from_secret,
        secrets.collect(),
        "what is secret, and only that"
    );
    assert_accepted(&manifest, &resolve(&manifest, given));
}

fn the_spin_apps_export_to_the_clusters_collector() {
    let compose = services("jaeger");
    let one = Collector::read("collector", "collector", "http");
    assert_eq!(one.image, compose["collector"]["image"], "one version");
    let gateway = Collector::read("gateway", "gateway", "http");
    for name in FOLDERS {
        let app = &kustomized(name).0[1];
        let mut variables = app["spec"]["variables"].as_array().unwrap().iter();
        let endpoint = variables.find(|it| it["name"] == "endpoint").unwrap();
        let url = format!("http://{}/v1/traces", one.address);
        assert_eq!(endpoint["value"], url, "{name}");
    }
    assert_eq!(gateway.address, one.address, "it takes the other's place");

    let sampler = Collector::read("gateway", "sampler", "grpc");
    assert!(sampler.is_headless);
    let resolver = "/exporters/load_balancing/resolver/dns";
    let [host, port] = ["hostname", "port"]
        .map(|key| string(&gateway.config, &format!("{resolver}/{key}")).to_owned());
    assert_eq!([host, port].join(":"), sampler.address);
    assert_eq!(
        gateway.config["exporters"]["load_balancing"]["routing_key"],
        "traceID"
    );
    let [core, contrib] = [&one.image, &sampler.image].map(|image| image.replace("-contrib", ""));
    assert_eq!(core, contrib, "one version");
    assert_eq!(gateway.image, sampler.image);
}

/// A collector of the cluster: its Deployment, its Service and its configuration, which agree.
struct Collector {
    image: String,
    /// Where others reach it: `service:port`.
    address: String,
    is_headless: bool,
    config: Value,
}

impl Collector {
    /// Reads the collector `name`, whose receiver is of this protocol, from a folder.
    fn read(folder: &str, name: &str, protocol: &str) -> Collector {
        let folder = format!("deploy/spinkube/{folder}");
        let kustomization = document(&format!("{folder}/kustomization.yaml"));
        let file = format!("{name}.yaml");
        assert!(strings(&kustomization, "resources").contains(&file.as_str()));
        let all = documents(&format!("{folder}/{file}"));
        let [deployment, service] = &all[..] else {
            panic!("a Deployment and a Service");
        };
        let template = &deployment["spec"]["template"];
        let labels = &template["metadata"]["labels"];
        assert_eq!(&deployment["spec"]["selector"]["matchLabels"], labels);
        assert_eq!(&service["spec"]["selector"], labels);
        let container = &template["spec"]["containers"][0];
        let image = string(container, "/image");
        assert_pinned(image);

        let volume = &template["spec"]["volumes"][0];
        assert_eq!(volume["name"], container["volumeMounts"][0]["name"]);
        let mut maps = kustomization["configMapGenerator"]
            .as_array()
            .unwrap()
            .iter();
        let map = maps
            .find(|map| map["name"] == volume["configMap"]["name"])
            .unwrap();
        let argument = strings(container, "args")[0];
        let path = argument.strip_prefix("--config=").unwrap();
        let mount = string(container, "/volumeMounts/0/mountPath");
        let key = Path::new(path)
            .strip_prefix(mount)
            .unwrap()
            .to_str()
            .unwrap();
        let [entry] = strings(map, "files")[..] else {
            panic!("one file");
        };
        let (entry_key, file) = entry.split_once('=').unwrap_or((entry, entry));
        assert_eq!(entry_key, key);
        let config = document(&format!("{folder}/{file}"));

        let ports = container["ports"].as_array().unwrap();
        let port = |name: &Value| ports.iter().find(|it| it["name"] == *name).unwrap();
        let target = &service["spec"]["ports"][0];
        assert_eq!(
            port(&target["targetPort"])["containerPort"],
            assert_wired(&config, protocol)
        );
        let health = port(&container["readinessProbe"]["httpGet"]["port"]);
        let endpoint = string(&config, "/extensions/health_check/endpoint");
        assert_eq!(endpoint, format!("0.0.0.0:{}", health["containerPort"]));
        Collector {
            image: image.to_owned(),
            address: format!("{}:{}", string(service, "/metadata/name"), target["port"]),
            is_headless: service["spec"]["clusterIP"] == "None",
            config,
        }
    }
}
