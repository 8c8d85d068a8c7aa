//! SDKs, a Collector and telemetrygen send spans to the ports of OTLP; all that is set is the address.

use std::path::Path;
use std::process::Stdio;

use reqwest::Client;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::process::Command;

use super::{JSON, Ports, export, get, launch_with_ports, span};
use crate::harness::{Peer, Test, tests};
use crate::support::{App, PATIENCE, launch_app};
use crate::verify::peers::{Running, free_port};

pub(crate) const TESTS: &[Test] = tests! {
    embedded_host: [
        a_client_of_http_2_or_tls_is_told_of_once,
        a_setting_that_says_grpc_is_warned_of_once,
    ]
    go: [go_sends_by_both_protocols]
    java: [java_sends_by_its_default_and_by_http]
    javascript: [javascript_sends_by_its_default_and_by_grpc]
    python: [python_sends_by_both_protocols]
    telemetrygen: [telemetrygen_sends_by_both_protocols]
    sending_collector: [a_collector_sends_with_each_compression_that_is_taken]
};

/// Runs a program to its end, with nothing set but these variables. Returns what it prints.
async fn run(peer: Peer, arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let mut command = Command::new(peer.program().unwrap());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("OTEL_") {
            command.env_remove(name);
        }
    }
    command.args(arguments).envs(variables.iter().copied());
    command.stdin(Stdio::null()).kill_on_drop(true);
    let ran = tokio::time::timeout(PATIENCE, command.output()).await;
    let ran = ran.expect("it ends").unwrap();
    let stderr = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{peer:?} {arguments:?}: {stderr}");
    String::from_utf8(ran.stdout).unwrap()
}

/// Runs a client of `tests/peers`, and finds the two spans of which it prints the ids.
async fn arrives(app: &App, peer: Peer, arguments: &[&str], variables: &[(&str, &str)]) {
    let printed = run(peer, arguments, variables).await;
    let ids: Vec<Vec<&str>> = printed
        .lines()
        .map(|line| line.split(' ').collect())
        .collect();
    let [parent, child] = &ids[..] else {
        panic!("{peer:?} prints two spans: {printed}");
    };
    let (status, trace) = get(app, &format!("traces/{}", parent[0])).await;
    assert_eq!(status, 200, "{peer:?} {arguments:?} {variables:?}: {trace}");
    let spans = trace["spans"].as_array().unwrap();
    let spans: Vec<_> = spans
        .iter()
        .map(|span| json!([span["id"], span["parent"], span["name"]]))
        .collect();
    let language = spans[0][2].as_str().unwrap().split(' ').next().unwrap();
    assert_eq!(
        spans,
        [
            json!([parent[1], "", format!("{language} parent")]),
            json!([child[1], parent[1], format!("{language} child")]),
        ],
        "{peer:?} {arguments:?} {variables:?}"
    );
}

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const PROTOCOL: &str = "OTEL_EXPORTER_OTLP_PROTOCOL";

async fn go_sends_by_both_protocols() {
    let (app, Ports { http, grpc }) = launch_with_ports().await;
    arrives(&app, Peer::Go, &["http"], &[(ENDPOINT, &http)]).await;
    arrives(&app, Peer::Go, &["grpc"], &[(ENDPOINT, &grpc)]).await;
    // To the other's port each.
    arrives(&app, Peer::Go, &["grpc"], &[(ENDPOINT, &http)]).await;
    arrives(&app, Peer::Go, &["http"], &[(ENDPOINT, &grpc)]).await;
}

async fn python_sends_by_both_protocols() {
    let (app, Ports { http, grpc }) = launch_with_ports().await;
    arrives(&app, Peer::Python, &["http"], &[(ENDPOINT, &http)]).await;
    arrives(&app, Peer::Python, &["grpc"], &[(ENDPOINT, &grpc)]).await;
}

async fn java_sends_by_its_default_and_by_http() {
    let (app, Ports { http, grpc }) = launch_with_ports().await;
    arrives(&app, Peer::Java, &[], &[(ENDPOINT, &grpc)]).await;
    let by_http = [(ENDPOINT, &*http), (PROTOCOL, "http/protobuf")];
    arrives(&app, Peer::Java, &[], &by_http).await;
}

async fn javascript_sends_by_its_default_and_by_grpc() {
    let (app, Ports { http, grpc }) = launch_with_ports().await;
    arrives(&app, Peer::JavaScript, &[], &[(ENDPOINT, &http)]).await;
    let by_grpc = [(ENDPOINT, &*grpc), (PROTOCOL, "grpc")];
    arrives(&app, Peer::JavaScript, &[], &by_grpc).await;
    let as_json = [(ENDPOINT, &*http), (PROTOCOL, "http/json")];
    arrives(&app, Peer::JavaScript, &[], &as_json).await;
}

async fn telemetrygen_sends_by_both_protocols() {
    let (app, Ports { http, grpc }) = launch_with_ports().await;
    let table: [(&str, &[&str], &str); 2] = [
        ("by-http", &["--otlp-http"], &http),
        ("by-grpc", &[], &grpc),
    ];
    for (service, arguments, url) in table {
        let address = url.strip_prefix("http://").unwrap();
        let common = ["traces", "--otlp-insecure", "--traces", "3"];
        let more = ["--service", service, "--otlp-endpoint", address];
        let arguments = [&common[..], &more, arguments].concat();
        run(Peer::Telemetrygen, &arguments, &[]).await;
        let (_, list) = get(&app, &format!("traces?service={service}")).await;
        let traces = list["traces"].as_array().unwrap();
        let traces: Vec<_> = traces
            .iter()
            .map(|trace| json!([trace["name"], trace["spans"]]))
            .collect();
        assert_eq!(traces, vec![json!(["lets-go", 2]); 3], "{service}");
    }
}

/// The exporters of a Collector, and whether what they send is taken.
const EXPORTERS: [(&str, &str, bool); 9] = [
    ("otlphttp", "none", true),
    ("otlphttp", "gzip", true),
    ("otlphttp", "zstd", true),
    ("otlphttp", "zlib", true),
    ("otlphttp", "deflate", true),
    ("otlphttp", "snappy", false),
    ("otlp", "gzip", true),
    ("otlp", "zstd", true),
    ("otlp", "snappy", false),
];

/// A Collector with a pipeline for each exporter.
fn configuration(receivers: &[u16], Ports { http, grpc }: &Ports) -> String {
    let (mut from, mut to, mut pipelines) = (String::new(), String::new(), String::new());
    for ((exporter, compression, _), port) in EXPORTERS.iter().zip(receivers) {
        let (endpoint, tls) = match *exporter {
            "otlp" => (grpc, ", tls: {insecure: true}"),
            _ => (http, ""),
        };
        let name = format!("{exporter}-{compression}");
        from +=
            &format!("  otlp/{name}: {{protocols: {{http: {{endpoint: '127.0.0.1:{port}'}}}}}}\n");
        to += &format!(
            "  {exporter}/{name}: {{endpoint: '{endpoint}', compression: {compression}{tls}}}\n"
        );
        pipelines += &format!(
            "    traces/{name}: {{receivers: [otlp/{name}], exporters: [{exporter}/{name}]}}\n"
        );
    }
    format!(
        "receivers:\n{from}exporters:\n{to}service:\n  telemetry: {{metrics: {{level: none}}}}\n  \
         pipelines:\n{pipelines}"
    )
}

async fn a_collector_sends_with_each_compression_that_is_taken() {
    let (app, ports) = launch_with_ports().await;
    let receivers = EXPORTERS.map(|_| free_port());
    let collector = Running::start(Peer::Collector, &["--config"], receivers[0], |_: &Path| {
        configuration(&receivers, &ports)
    });
    let collector = collector.await;
    for (number, (at, port)) in (1..).zip(EXPORTERS.iter().zip(receivers)) {
        let (exporter, compression, is_taken) = at;
        let trace = format!("{number:032x}");
        // Long enough to be worth compressing.
        let spans: Vec<_> = (1..200)
            .map(|id| span(&trace, id, id - 1, "compressed", (0, 10)))
            .collect();
        let post = Client::new().post(format!("http://127.0.0.1:{port}/v1/traces"));
        let body = export("shop", &spans).to_string();
        let sent = post.header("content-type", JSON).body(body).send().await;
        assert_eq!(sent.unwrap().status(), 200);
        let refusal =
            format!("the content-encoding '{compression}' is not taken: one of gzip, deflate");
        let started = std::time::Instant::now();
        loop {
            let (status, found) = get(&app, &format!("traces/{trace}")).await;
            let log = collector.stderr();
            if !is_taken
                && log
                    .lines()
                    .any(|line| line.contains(&refusal) && line.contains(exporter))
            {
                assert_eq!(status, 404, "{exporter} {compression}");
                break;
            }
            if status == 200 && found["spans"].as_array().unwrap().len() == 199 {
                assert!(is_taken, "{exporter} {compression} is taken");
                break;
            }
            assert!(
                started.elapsed() < PATIENCE,
                "{exporter} {compression}: {log}"
            );
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }
}

/// Sends bytes, and reads what comes until the connection is closed.
async fn exchange(address: &str, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    // A reset is an end, too.
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer));
    let _ = read.await.expect("the connection is closed");
    answer
}

/// Ends an app, and returns all that it has written to stderr.
async fn all_stderr(app: &mut App) -> String {
    app.signal("INT");
    app.wait_for_exit().await;
    app.stderr()
}

async fn a_client_of_http_2_or_tls_is_told_of_once() {
    let (mut app, Ports { http, grpc }) = launch_with_ports().await;
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    let hello = b"\x16\x03\x01\0\x05\x01\0\0\x01\x03\r\n\r\n";
    for _ in 0..2 {
        let refused = exchange(app.authority(), preface).await;
        assert!(String::from_utf8_lossy(&refused).contains("HTTP/1.1 only"));
        let refused = exchange(http.strip_prefix("http://").unwrap(), hello).await;
        assert!(refused.starts_with(b"HTTP/1.1 400"), "{refused:?}");
    }
    let stderr = all_stderr(&mut app).await;
    let http2 =
        format!("where only HTTP/1.1 is taken: send OTLP/gRPC to {grpc}, or OTLP/HTTP here");
    let tls = "OTEL_EXPORTER_OTLP_INSECURE=true";
    for sentence in [&*http2, tls] {
        let lines = stderr.lines().filter(|line| line.contains(sentence));
        assert_eq!(lines.count(), 1, "{sentence}: {stderr}");
    }
}

async fn a_setting_that_says_grpc_is_warned_of_once() {
    let both = ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", PROTOCOL];
    for settings in [&both[..1], &both[1..], &both] {
        let launch = settings
            .iter()
            .fold(launch_app(), |launch, setting| launch.env(setting, "grpc"));
        let mut app = launch.start().await;
        // Its services read their settings.
        assert_eq!(app.process("[]").await.status(), 200);
        let stderr = all_stderr(&mut app).await;
        let warnings: Vec<_> = stderr
            .lines()
            .filter(|line| line.contains("grpc"))
            .collect();
        let [warning] = &warnings[..] else {
            panic!("one line: {warnings:?}");
        };
        assert!(warning.contains("warning: grpc in"), "{warning}");
        assert!(warning.contains("http/protobuf or http/json"), "{warning}");
        for setting in settings {
            assert!(warning.contains(setting), "{setting}: {warning}");
        }
    }
}
