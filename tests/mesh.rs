//! Meshes from topology files, and the shop in `examples/`, whose exercises have the answers that its README gives.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Test, tests};
use crate::support::{
    App, Collector, Launch, build, eventually, launch_app, launch_exporting_to, repository,
};

pub(crate) mod queues;
pub(crate) mod worlds;

pub(crate) const TESTS: &[Test] = tests! {
    sync: [
        the_examples_manifests_and_drawings_are_current,
        writes_a_manifest_whose_paths_start_at_its_folder,
        refuses_a_malformed_topology_with_its_line,
    ]
    any_host: [
        the_shop_s_exercises_have_the_documented_answers,
        the_environment_configures_an_incident,
        entry_points_are_served_under_their_names,
    ]
    embedded_host: [
        runs_a_topology_with_the_component_that_it_names,
        warns_how_many_calls_one_request_causes,
        a_chain_has_the_length_of_its_topology,
        warns_of_urls_that_lead_nowhere,
    ]
};

const NOBODY: &str = "tracing-tail: service-b calls http://nobody.spin.internal (APP_B_URL_DESTINO), \
                      and the app has no component 'nobody'\n";

fn shop(file: &str) -> PathBuf {
    repository().join("examples/shop").join(file)
}

fn tracing_tail(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tracing-tail"));
    command
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap()
}

fn printed(arguments: &[&str]) -> String {
    let output = tracing_tail(repository(), arguments);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    String::from_utf8(output.stdout).unwrap()
}

fn refused(folder: &Path, arguments: &[&str]) -> String {
    let output = tracing_tail(folder, arguments);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(output.stdout, b"");
    String::from_utf8(output.stderr).unwrap()
}

/// The shop's generated manifest, with spans to the collector.
fn launch(collector: &Collector) -> Launch {
    let variables = repository().join("runtime-config.toml");
    launch_exporting_to(collector)
        .manifest(&shop("spin.toml"))
        .argument("--runtime-config-file")
        .argument(variables.to_str().unwrap())
}

/// Requests a report from the shop, with this baggage.
async fn report(app: &App, baggage: &str) -> Value {
    let request = app.request(Method::POST, "/process?report");
    let request = request.header("baggage", baggage).body("[]");
    request.send().await.unwrap().json().await.unwrap()
}

/// All hops of a report.
fn hops(report: &Value) -> &[Value] {
    report["hops"].as_array().unwrap()
}

fn the_examples_manifests_and_drawings_are_current() {
    for name in ["shop", "pipeline"] {
        let topology = format!("examples/{name}/{name}.toml");
        let folder = repository().join("examples").join(name);
        let read = |file: &str| fs::read_to_string(folder.join(file)).unwrap();
        let made = printed(&["mesh", &topology]);
        let manifest = folder.join("spin.toml");
        let hint = format!(
            "run `cargo run -- mesh {topology} -o {}`",
            manifest.display()
        );
        assert!(made == read("spin.toml"), "{hint}");
        let drawn = printed(&["mesh", &topology, "--graph"]);
        let is_drawn = read("README.md").contains(&format!("```mermaid\n{drawn}```\n"));
        assert!(is_drawn, "{drawn}");
    }
}

fn writes_a_manifest_whose_paths_start_at_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("deep.toml");
    let page = "examples/shop/shop.toml";
    assert_eq!(printed(&["mesh", page, "-o", file.to_str().unwrap()]), "");
    let manifest = tracing_tail_host::manifest::Manifest::load(&file).unwrap();
    let same = |one: &Path, other: &Path| {
        assert_eq!(one.canonicalize().unwrap(), other.canonicalize().unwrap());
    };
    let build = manifest.components[0].build.as_ref().unwrap();
    same(&build.workdir, repository());
    same(
        manifest.components[7].source.ancestors().nth(4).unwrap(),
        repository(),
    );
    assert_eq!(
        refused(repository(), &["mesh", page, "-o", page]),
        format!("Error: {page} is the topology itself; name another file\n")
    );
}

fn refuses_a_malformed_topology_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let page = "[services.a]\nentry = true\ncalls = [\"b\"]\n[services.b]\ncalls = [\"a\"]\n";
    fs::write(folder.path().join("x.toml"), page).unwrap();
    let cycle = "Error: x.toml:5: the calls form a cycle: a -> b -> a\n";
    for arguments in [
        &["mesh", "x.toml"][..],
        &["mesh", "x.toml", "--graph"],
        &["up", "x.toml"],
        &["up", "-f", "x.toml"],
        &["build", "-f", "x.toml"],
        &["--from", "x.toml"],
    ] {
        assert_eq!(refused(folder.path(), arguments), cycle, "{arguments:?}");
    }
    fs::write(folder.path().join("x.toml"), "[services.a]\nentry = true\n").unwrap();
    let place = folder.path().canonicalize().unwrap();
    let place = place.display();
    assert_eq!(
        // `up` has components inside the program, perhaps.
        refused(folder.path(), &["mesh", "x.toml"]),
        format!(
            "Error: there is no repository of tracing-tail at or above {place} or {place}; \
             say in the topology where the component is: source = \"tracing_tail.wasm\"\n"
        )
    );
}

async fn runs_a_topology_with_the_component_that_it_names() {
    let collector = Collector::start().await;
    let folder = tempfile::tempdir().unwrap();
    build("spin.toml");
    let component = repository().join("target/wasm32-wasip2/component/tracing_tail.wasm");
    let page = format!(
        "source = {:?}\n[services.cart-db]\n\
         [services.front]\nentry = true\ncalls = [\"cart-db\", \"cart-db\"]\n",
        component.canonicalize().unwrap()
    );
    let file = folder.path().join("two.toml");
    fs::write(&file, page).unwrap();
    let app = launch_exporting_to(&collector)
        .manifest(&file)
        .current_dir(folder.path())
        .env("APP_CART_DB_ERRORS", "503:100")
        .start()
        .await;
    assert_eq!(app.process("[]").await.status(), 502);
    let spans = collector.wait_for(5).await;
    assert!(spans.iter().all(|span| span.trace == spans[0].trace));
}

/// A topology in which each service calls as many of the next layer.
fn layers(count: usize, width: usize) -> String {
    build("spin.toml");
    let component = repository().join("target/wasm32-wasip2/component/tracing_tail.wasm");
    let mut page = format!("source = {:?}\n", component.canonicalize().unwrap());
    for layer in 0..count {
        for n in 0..width {
            page += &format!("[services.l{layer}-n{n}]\n");
            if layer + 1 < count {
                let next: Vec<_> = (0..width).map(|n| format!("l{}-n{n}", layer + 1)).collect();
                page += &format!("calls = {next:?}\n");
            }
            if (layer, n) == (0, 0) {
                page += "entry = true\n";
            }
        }
    }
    page
}

async fn launch_page(collector: &Collector, page: &str) -> App {
    build("spin.toml");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("page.toml");
    fs::write(&file, page).unwrap();
    let launch = launch_exporting_to(collector).manifest(&file);
    launch.current_dir(folder.path()).start().await
}

async fn warns_how_many_calls_one_request_causes() {
    let collector = Collector::start().await;
    let line =
        "tracing-tail: one request to l0-n0 becomes 16383, with all that its calls lead to\n";
    let app = launch_page(&collector, &layers(14, 2)).await;
    eventually("the line is there", || {
        app.stderr().contains(line).then_some(())
    })
    .await;
    let app = launch_page(&collector, &layers(5, 2)).await;
    assert!(!app.stderr().contains("becomes"), "{}", app.stderr());
}

async fn a_chain_has_the_length_of_its_topology() {
    let collector = Collector::start().await;
    let app = launch_page(&collector, &layers(70, 1)).await;
    let answer = app.process("[]").await;
    assert_eq!(answer.status(), 200);
    let list: Vec<String> = answer.json().await.unwrap();
    assert_eq!(list.len(), 70);
}

async fn warns_of_urls_that_lead_nowhere() {
    let launch = || {
        launch_app()
            .env(
                "APP_URL_DESTINO",
                "http://service-b.spin.internal,http://b.example.com",
            )
            .env("APP_B_URL_DESTINO", "http://nobody.spin.internal;p=5")
    };
    for launch in [launch(), launch().argument("--quiet")] {
        let app = launch.start().await;
        eventually("the line is there", || {
            app.stderr().contains(NOBODY).then_some(())
        })
        .await;
        assert_eq!(app.stderr().matches("and the app has no").count(), 1);
    }
    let endpoint = "http://nowhere.spin.internal/v1/traces";
    let app = launch_app().env("OTLP_ENDPOINT", endpoint).start().await;
    let line = "tracing-tail: spans go to http://nowhere.spin.internal (OTLP_ENDPOINT), and the app \
                has no component 'nowhere'\n";
    eventually("the line is there", || {
        app.stderr().contains(line).then_some(())
    })
    .await;
    assert_eq!(app.stderr().matches("nowhere").count(), 2, "reported once");
}

/// Seed 7 takes a request through all services. If the draws change, the README needs another seed.
async fn the_shop_s_exercises_have_the_documented_answers() {
    let collector = Collector::start().await;
    let app = launch(&collector).start().await;

    let healthy = report(&app, "tail.seed=7").await;
    assert_eq!(
        healthy["payload"],
        json!([
            "storefront",
            "catalog",
            "search",
            "pricing",
            "cart",
            "pricing",
            "checkout",
            "pricing",
            "payments",
            "fraud"
        ])
    );
    let trace = healthy["trace_id"].as_str().unwrap();
    eventually("all services are traced", || {
        let spans = collector.spans();
        let servers = spans
            .iter()
            .filter(|span| span.kind == "SERVER" && span.trace == trace);
        (servers.count() == 10).then_some(())
    })
    .await;

    let slow = report(&app, "tail.seed=7,tail.search.latency=1200ms").await;
    let longest = hops(&slow)
        .iter()
        .max_by(|one, other| {
            one["latency"]["ms"]
                .as_f64()
                .unwrap()
                .total_cmp(&other["latency"]["ms"].as_f64().unwrap())
        })
        .unwrap();
    assert_eq!(longest["service"], "search");

    let sick = report(&app, "tail.seed=7,tail.payments.errors=500:100").await;
    assert_eq!(sick["hops"][0]["status"], 502);
    let failed: Vec<_> = hops(&sick)
        .iter()
        .filter(|hop| hop["outcome"] == "simulated_error")
        .map(|hop| (&hop["service"], &hop["reason"]))
        .collect();
    assert_eq!(failed, [(&json!("payments"), &json!("baggage")); 2]);

    let storm = report(&app, "tail.seed=7,tail.fraud.errors=503:100").await;
    let calls = |service: &str| {
        let hops = hops(&storm).iter();
        hops.filter(|hop| hop["service"] == service).count()
    };
    assert_eq!(
        ["checkout", "payments", "fraud"].map(calls),
        [2, 6, 18],
        "tries multiply"
    );
}

async fn the_environment_configures_an_incident() {
    let collector = Collector::start().await;
    let always = "every=1m,for=1m,errors=500:100";
    let app = launch(&collector)
        .env("APP_PRICING_INCIDENTS", always)
        .env("APP_FRAUD_ERRORS", "0")
        .start()
        .await;
    let sick = report(&app, "").await;
    let reasons: Vec<_> = hops(&sick)
        .iter()
        .filter(|hop| hop["outcome"] == "simulated_error")
        .map(|hop| (&hop["service"], &hop["reason"]))
        .collect();
    assert!(!reasons.is_empty());
    for reason in reasons {
        assert_eq!(reason, (&json!("pricing"), &json!("incident")));
    }
}

async fn entry_points_are_served_under_their_names() {
    let collector = Collector::start().await;
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("two.toml");
    build("spin.toml");
    let component = repository().join("target/wasm32-wasip2/component/tracing_tail.wasm");
    let text = format!(
        "source = {:?}\n[services.web]\nentry = true\n[services.back-office]\nentry = true\n",
        component.canonicalize().unwrap()
    );
    fs::write(&page, text).unwrap();
    let manifest = folder.path().join("spin.toml");
    let (page, made) = (page.to_str().unwrap(), manifest.to_str().unwrap());
    assert_eq!(printed(&["mesh", page, "-o", made]), "");
    let variables = repository().join("runtime-config.toml");
    fs::copy(variables, folder.path().join("runtime-config.toml")).unwrap();
    let app = launch_exporting_to(&collector)
        .manifest(&manifest)
        .start()
        .await;
    for (path, status) in [
        ("/web/process", 200),
        ("/back-office/process", 200),
        ("/web/x/process", 404),
        ("/process", 404),
    ] {
        let request = app.request(Method::POST, path).body("[]");
        assert_eq!(request.send().await.unwrap().status(), status, "{path}");
    }
    let spans = collector.wait_for(3).await;
    let back_office = spans.iter().find(|span| span.service == "back-office");
    let back_office = back_office.unwrap();
    assert_eq!(back_office.name, "POST /back-office/process");
    assert_eq!(back_office.attributes["http.route"], "/back-office/process");
}
