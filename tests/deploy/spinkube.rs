//! The SpinApp, and the collector beside it.

use crate::harness::{Test, tests};
use std::collections::BTreeSet;
use std::path::Path;

use tracing_tail_host::variables::Values;

use super::compose::services;
use super::{
    assert_accepted, assert_only, assert_pinned, assert_wired, documents, manifest, map, parse,
    resolve, string, strings, text,
};

pub(crate) const TESTS: &[Test] = tests! {
    sync: [
        the_spin_app_sets_variables_that_the_manifest_has,
        the_spin_app_exports_to_the_clusters_collector,
    ]
};

fn the_spin_app_sets_variables_that_the_manifest_has() {
    let all = documents("deploy/spinkube/app.yaml");
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
    let image = string(app, "/spec/image");
    assert_pinned(image);
    assert!(image.contains("/your-account/"), "{image} is nobody's");
    assert!(
        text("docs/deploy.md").contains(&format!("spin registry push -f spin.wasip2.toml {image}"))
    );

    let manifest = manifest("spin.wasip2.toml");
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
        // There is no viewer, and the headers of all signals are those of traces.
        .filter(|(name, _)| {
            !["viewer_token", "exporter_otlp_traces_headers"].contains(&name.value.as_str())
        });
    let secrets = secrets.map(|(name, _)| name.value.clone());
    assert_eq!(
        from_secret,
        secrets.collect(),
        "what is secret, and only that"
    );
    assert_accepted(&manifest, &resolve(&manifest, given));
}

fn the_spin_app_exports_to_the_clusters_collector() {
    let all = documents("deploy/spinkube/collector.yaml");
    let [config_map, deployment, service] = &all[..] else {
        panic!("a ConfigMap, a Deployment and a Service");
    };
    let template = &deployment["spec"]["template"];
    let labels = &template["metadata"]["labels"];
    assert_eq!(&deployment["spec"]["selector"]["matchLabels"], labels);
    assert_eq!(&service["spec"]["selector"], labels);
    let container = &template["spec"]["containers"][0];
    let compose = services("jaeger");
    assert_eq!(
        container["image"], compose["collector"]["image"],
        "one version"
    );
    let volume = &template["spec"]["volumes"][0];
    assert_eq!(volume["configMap"]["name"], config_map["metadata"]["name"]);
    assert_eq!(volume["name"], container["volumeMounts"][0]["name"]);
    let file = strings(container, "args")[0]
        .strip_prefix("--config=")
        .unwrap();
    let key = Path::new(file)
        .strip_prefix(string(container, "/volumeMounts/0/mountPath"))
        .unwrap();
    let text = string(&config_map["data"], &format!("/{}", key.display()));

    let config = &parse("config.yaml", text)[0];
    let port = assert_wired(config);
    let target = &service["spec"]["ports"][0];
    let named = container["ports"].as_array().unwrap();
    let named = named.iter().find(|it| it["name"] == target["targetPort"]);
    assert_eq!(named.unwrap()["containerPort"], port);
    let probe = &container["readinessProbe"]["httpGet"]["port"];
    let health = container["ports"].as_array().unwrap();
    let health = health.iter().find(|it| it["name"] == *probe).unwrap();
    let endpoint = string(config, "/extensions/health_check/endpoint");
    assert_eq!(endpoint, format!("0.0.0.0:{}", health["containerPort"]));

    let url = format!(
        "http://{}:{}/v1/traces",
        string(service, "/metadata/name"),
        target["port"]
    );
    let app = &documents("deploy/spinkube/app.yaml")[1];
    let variables = app["spec"]["variables"].as_array().unwrap();
    let endpoint = variables
        .iter()
        .find(|it| it["name"] == "endpoint")
        .unwrap();
    assert_eq!(endpoint["value"], url);
}
