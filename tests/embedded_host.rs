//! The embedded host itself: what it prints, and what it refuses.

use std::fs;
use std::path::Path;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::harness::{Test, tests};
use crate::support::{Collector, Launch, eventually, launch_app, launch_exporting_to, repository};

pub(crate) const TESTS: &[Test] = tests! {
    embedded_host: [
        the_banner_names_the_url_a_first_request_and_the_endpoint,
        answers_health_and_info_itself,
        prefixes_what_components_print,
        an_unknown_component_in_a_chain_is_an_error_that_the_caller_handles,
        refuses_to_start_with_one_sentence,
        refuses_manifests_by_name_and_line,
        builds_what_is_missing_with_its_build_command,
        resolves_variables_from_static_providers_dotenv_files_and_the_environment,
    ]
};

/// Starts an application that must fail to start, and returns the last line of its stderr.
async fn refusal(launch: Launch) -> String {
    let mut app = launch.spawn();
    let status = app.wait_for_exit().await;
    assert_eq!(status.code(), Some(1), "{}", app.stderr());
    eventually("the reason is printed", || {
        let stderr = app.stderr();
        let mut lines = stderr.lines().rev();
        Some(lines.find(|line| line.starts_with("Error: "))?.to_owned())
    })
    .await
}

fn write(folder: &Path, manifest: &str) -> std::path::PathBuf {
    let path = folder.join("spin.toml");
    fs::write(&path, manifest).unwrap();
    path
}

const MANIFEST: &str = "spin_manifest_version = 2\n\
    application = { name = \"x\" }\n\
    [[trigger.http]]\n\
    route = \"/...\"\n\
    component = \"x\"\n\
    [component.x]\n\
    source = \"x.wasm\"\n";

async fn the_banner_names_the_url_a_first_request_and_the_endpoint() {
    let app = launch_app()
        .env("OTLP_ENDPOINT", "http://127.0.0.1:1/v1/traces")
        .start()
        .await;
    let url = format!("http://{}", app.authority());
    let line = |start: &str| {
        let stdout = app.stdout();
        stdout
            .lines()
            .find(|line| line.trim_start().starts_with(start))
            .map(str::to_owned)
    };
    eventually("the banner is complete", || line("Spans:")).await;
    assert_eq!(
        line("tracing-tail:").unwrap(),
        format!("  tracing-tail: {url}/...")
    );
    assert_eq!(
        line("service-b:").unwrap(),
        "  service-b: http://service-b.spin.internal (private)"
    );
    assert_eq!(
        line("Spans:").unwrap(),
        "Spans: http://127.0.0.1:1/v1/traces (OTLP_ENDPOINT)"
    );
    assert_eq!(
        line("Try:").unwrap(),
        format!(
            "Try:   curl -X POST {url}/process -H \"Content-Type: application/json\" -d '[\"item1\", \"item2\"]'"
        )
    );
}

async fn answers_health_and_info_itself() {
    let collector = Collector::start().await;
    let app = launch_exporting_to(&collector).start().await;
    let get = async |path: &str| app.request(Method::GET, path).send().await.unwrap();
    assert_eq!(
        get("/.well-known/spin/health").await.text().await.unwrap(),
        "OK"
    );
    let info: Value = get("/.well-known/spin/info").await.json().await.unwrap();
    assert_eq!(
        info,
        json!({ "name": "tracing-tail", "version": env!("CARGO_PKG_VERSION") })
    );
    assert_eq!(get("/.well-known/spin/other").await.status(), 404);
    app.process("[]").await;
    assert_eq!(
        collector.wait_for(1).await[0].name,
        "POST /process",
        "probes are not traced"
    );
}

async fn prefixes_what_components_print() {
    let app = launch_app().env("APP_ERRORS", "x").start().await;
    app.process("[]").await;
    let line = "[tracing-tail] APP_ERRORS: 'x' is not a percentage from 0 to 100\n";
    eventually("the line is there", || {
        app.stderr().contains(line).then_some(())
    })
    .await;
    let mut quiet = launch_app()
        .env("APP_ERRORS", "x")
        .argument("--quiet")
        .start()
        .await;
    quiet.process("[]").await;
    quiet.signal("INT");
    quiet.wait_for_exit().await;
    eventually("stderr is complete", || {
        quiet.stderr().contains("Shutting down").then_some(())
    })
    .await;
    assert!(!quiet.stderr().contains("APP_ERRORS"), "{}", quiet.stderr());
}

async fn an_unknown_component_in_a_chain_is_an_error_that_the_caller_handles() {
    let collector = Collector::start().await;
    let app = launch_exporting_to(&collector)
        .env("APP_URL_DESTINO", "http://service-d.spin.internal")
        .start()
        .await;
    let answer = app.process("[]").await;
    assert_eq!(answer.status(), 502);
    let error_body: Value = answer.json().await.unwrap();
    assert_eq!(
        error_body["error"],
        "http://service-d.spin.internal/process could not be reached: destination not found"
    );
    collector.wait_for(2).await;
}

async fn refuses_to_start_with_one_sentence() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let table = [
        (
            launch_app().argument("--listen").argument(&address),
            format!("Error: {address} is in use already; stop what listens there, or choose another with --listen"),
        ),
        (
            launch_app().argument("--variable").argument("latncy=5"),
            "Error: there is no variable 'latncy'; the manifest has name, url_destino, errors".to_owned(),
        ),
        (
            launch_app().argument("--runtime-config-file").argument("no-such.toml"),
            "Error: failed to read the runtime configuration no-such.toml: No such file".to_owned(),
        ),
        (
            launch_app().manifest(Path::new("no-such/spin.toml")),
            "Error: failed to read the manifest no-such/spin.toml: No such file".to_owned(),
        ),
        (
            launch_app().env("APP_ALLOWED_HOST", "example.com"),
            "'example.com' is no allowed outbound host: it has no scheme; write scheme://host[:port], such as http://*.example.com:8080".to_owned(),
        ),
    ];
    for (launch, sentence) in table {
        let stderr = refusal(launch).await;
        assert!(stderr.contains(&sentence), "{stderr}");
    }
}

async fn refuses_manifests_by_name_and_line() {
    let folder = tempfile::tempdir().unwrap();
    let shown = folder.path().join("spin.toml").display().to_string();
    let wasm = folder.path().join("x.wasm").display().to_string();
    let component = repository().join("target/wasm32-wasip2/component/tracing_tail.wasm");
    let table = [
        (
            MANIFEST.replace("source = ", "key_value_stores = []\nsource = "),
            format!(
                "Error: {shown}:7: component 'x' has 'key_value_stores', which the embedded host does not support"
            ),
        ),
        (
            MANIFEST.replace("component = \"x\"", "component = \"y\""),
            format!("Error: {shown}:5: there is no component 'y'"),
        ),
        (
            format!("{MANIFEST}[variables]\ntoken = {{ required = true }}\n"),
            format!(
                "Error: {shown}:9: the required variable 'token' has no value; set SPIN_VARIABLE_TOKEN in the environment, or --variable token=…"
            ),
        ),
        (
            MANIFEST.replace("\"/...\"", "\"nowhere\""),
            format!("Error: {shown}:4: the route 'nowhere' does not start with '/'"),
        ),
        (
            MANIFEST.to_owned(),
            format!(
                "Error: component 'x': its source {wasm} does not exist, and it has no build.command"
            ),
        ),
        (
            format!("{MANIFEST}build = {{ command = \"exit 3\" }}\n"),
            "Error: component 'x': `exit 3` failed (exit status: 3)".to_owned(),
        ),
        (
            format!("{MANIFEST}build = {{ command = \"true\" }}\n"),
            format!(
                "Error: component 'x': its source {wasm} does not exist, although its build.command succeeded"
            ),
        ),
        (
            MANIFEST.replace("x.wasm", "spin.toml"),
            format!("Error: {shown} is no WebAssembly component"),
        ),
    ];
    for (manifest, sentence) in table {
        let stderr = refusal(launch_app().manifest(&write(folder.path(), &manifest))).await;
        assert!(
            stderr.starts_with(&sentence),
            "{stderr}\nexpected {sentence}"
        );
    }
    assert!(component.exists());
}

async fn builds_what_is_missing_with_its_build_command() {
    let folder = tempfile::tempdir().unwrap();
    let component = repository().join("target/wasm32-wasip2/component/tracing_tail.wasm");
    let build = format!(
        "build = {{ command = \"cp '{}' x.wasm\", workdir = \"sub\" }}\n",
        component.display()
    );
    fs::create_dir(folder.path().join("sub")).unwrap();
    let manifest = format!("{}{build}", MANIFEST.replace("x.wasm", "sub/x.wasm"));
    let app = launch_app()
        .manifest(&write(folder.path(), &manifest))
        .start()
        .await;
    let list: Value = app.process("[]").await.json().await.unwrap();
    assert_eq!(
        list,
        json!(["tracing-tail"]),
        "no variable is mapped: all have their defaults"
    );
    assert!(
        app.stderr().contains("Building component x with `cp "),
        "{}",
        app.stderr()
    );
}

async fn resolves_variables_from_static_providers_dotenv_files_and_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    let component = repository().join("target/wasm32-wasip2/component/tracing_tail.wasm");
    fs::copy(component, folder.path().join("x.wasm")).unwrap();
    let manifest = write(
        folder.path(),
        &format!(
            "{MANIFEST}variables = {{ app_name = \"{{{{ a }}}}-{{{{ b }}}}-{{{{ c }}}}-{{{{ d }}}}\" }}\n\
            [variables]\na = {{ default = \"0\" }}\nb = {{ default = \"0\" }}\nc = {{ default = \"0\" }}\nd = {{ default = \"0\" }}\n"
        ),
    );
    fs::write(folder.path().join("extra.env"), "TT_B=2\nTT_A=never\n").unwrap();
    fs::write(
        folder.path().join(".env"),
        "SPIN_VARIABLE_C=3\nSPIN_VARIABLE_B=never\n",
    )
    .unwrap();
    fs::write(
        folder.path().join("runtime-config.toml"),
        "[[config_provider]]\ntype = \"static\"\nvalues = { a = \"1\" }\n\
         [[config_provider]]\ntype = \"env\"\nprefix = \"TT\"\ndotenv_path = \"extra.env\"\n",
    )
    .unwrap();
    let app = launch_app()
        .manifest(&manifest)
        .current_dir(folder.path())
        .start()
        .await;
    let list: Value = app.process("[]").await.json().await.unwrap();
    assert_eq!(list, json!(["1-2-3-0"]));
}
