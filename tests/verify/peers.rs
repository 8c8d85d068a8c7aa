//! `tracing-tail verify`, on collectors and backends of others: each test runs where the environment names them.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;
use tracing_tail_testkit::app::{App, StopOnDrop};
use tracing_tail_testkit::middle_man::{Destination, MiddleMan};

use super::{Verdict, chain, verify};
use crate::harness::{Peer, Test, tests};

pub(crate) const TESTS: &[Test] = tests! {
    collector: [
        a_collector_that_writes_files_is_whole,
        a_collector_that_rotates_its_files_is_whole,
        a_tail_sampler_keeps_errors_and_a_tenth,
    ]
    collector_and_zipkin: [zipkin_behind_a_collector_is_whole]
    jaeger: [jaeger_is_whole]
    tempo: [tempo_is_whole]
    rotel: [rotel_forwards_everything]
};

/// How long a program may take until it listens.
const START: Duration = Duration::from_secs(180);

/// A program of others, with a folder of its own. It is stopped when this is dropped.
pub(crate) struct Running {
    program: App,
    folder: TempDir,
}

impl Running {
    /// Starts a program with a configuration file, which the function writes for the folder, and waits until `port`
    /// is listened on. `arguments` come before the file.
    pub(crate) async fn start(
        peer: Peer,
        arguments: &[&str],
        port: u16,
        configuration: impl FnOnce(&Path) -> String,
    ) -> Running {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("configuration.yaml");
        fs::write(&file, configuration(folder.path())).unwrap();
        let mut command = Command::new(peer.program().unwrap());
        command.args(arguments).arg(&file).current_dir(&folder);
        Running::wait(command, folder, port).await
    }

    /// What it has written to stderr so far.
    pub(crate) fn stderr(&self) -> String {
        self.program.stderr()
    }

    async fn wait(command: Command, folder: TempDir, port: u16) -> Running {
        // A container gets a signal only from a client that can pass it on.
        let program = App::spawn(command, &[]).unwrap();
        let program = program.stop_on_drop(StopOnDrop::Terminate);
        let started = std::time::Instant::now();
        while tokio::net::TcpStream::connect(("127.0.0.1", port))
            .await
            .is_err()
        {
            assert!(
                started.elapsed() < START,
                "it does not listen: {}",
                program.stderr()
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Running { program, folder }
    }
}

/// A port that is free now.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn otlp(port: u16) -> String {
    format!("http://127.0.0.1:{port}/v1/traces")
}

/// Sends requests to a chain that exports to this port, half of them with an error in the last service.
async fn verified(port: u16, backend: &str, arguments: &[&str]) -> Verdict {
    let app = chain(&otlp(port)).start().await;
    let common = [
        "--backend",
        backend,
        "--requests",
        "200",
        "--rate",
        "50/s",
        "--mix",
        "1",
        "--mix",
        "1 baggage tail.service-c.errors=503:100,tail.service-b.latency=2ms",
        "--seed",
        "peers",
    ];
    verify(&app, &[&common[..], arguments].concat()).await
}

/// Everything arrived: five spans of a plain request, six of one with a wait.
fn is_whole(verdict: &Verdict) {
    let expected = verdict.json["expected"].as_u64().unwrap();
    assert!((1050..1150).contains(&expected), "{:#}", verdict.json);
    let found = usize::try_from(expected).unwrap();
    let nothing_else = ["missing", "twice", "altered", "orphans", "unexpected"];
    verdict.is(0, &nothing_else.map(|name| (name, 0)));
    verdict.is(0, &[("found", found)]);
}

/// The configuration of a Collector with these processors and exporters, written as YAML within braces.
fn collector(port: u16, processors: &str, exporters: &str) -> String {
    let names = |of: &str| -> String {
        let names = of.lines().filter(|line| !line.starts_with(' '));
        let names: Vec<_> = names
            .filter_map(|line| line.split_once(':'))
            .map(|(name, _)| name)
            .collect();
        names.join(", ")
    };
    let indented = |of: &str| {
        of.lines()
            .map(|line| format!("  {line}\n"))
            .collect::<String>()
    };
    format!(
        "receivers:\n  otlp:\n    protocols: {{http: {{endpoint: '127.0.0.1:{port}'}}}}\n\
         processors:\n{}exporters:\n{}service:\n  telemetry: {{metrics: {{level: none}}}}\n  \
         pipelines:\n    traces: {{receivers: [otlp], processors: [{}], exporters: [{}]}}\n",
        indented(processors),
        indented(exporters),
        names(processors),
        names(exporters)
    )
}

const BATCH: &str = "batch: {timeout: 100ms}";

fn file_exporter(folder: &Path, more: &str) -> String {
    let folder = folder.display();
    format!(
        "file: {{path: '{folder}/spans/traces.jsonl', create_directory: true, flush_interval: 100ms{more}}}"
    )
}

async fn a_collector_that_writes_files_is_whole() {
    let port = free_port();
    let running = Running::start(Peer::Collector, &["--config"], port, |folder| {
        collector(port, BATCH, &file_exporter(folder, ""))
    })
    .await;
    let spans = running.folder.path().join("spans");
    let verdict = verified(port, spans.to_str().unwrap(), &[]).await;
    is_whole(&verdict);
}

async fn a_collector_that_rotates_its_files_is_whole() {
    let port = free_port();
    let running = Running::start(Peer::Collector, &["--config"], port, |folder| {
        collector(
            port,
            BATCH,
            &file_exporter(folder, ", rotation: {max_megabytes: 1}"),
        )
    })
    .await;
    let spans = running.folder.path().join("spans");
    let arguments = ["--requests", "2000", "--rate", "400/s"];
    let app = chain(&otlp(port)).start().await;
    let backend = ["--backend", spans.to_str().unwrap()];
    let verdict = verify(&app, &[&arguments[..], &backend].concat()).await;
    verdict.is(0, &[("expected", 10_000), ("found", 10_000)]);
    let files = fs::read_dir(&spans).unwrap().count();
    assert!(files > 1, "the exporter has rotated its files");
}

async fn a_tail_sampler_keeps_errors_and_a_tenth() {
    let port = free_port();
    let sampling = "tail_sampling:\n  decision_wait: 3s\n  policies:\n  \
                    - {name: errors, type: status_code, status_code: {status_codes: [ERROR]}}\n  \
                    - {name: share, type: probabilistic, probabilistic: {sampling_percentage: 10}}\n";
    let running = Running::start(Peer::Collector, &["--config"], port, |folder| {
        collector(
            port,
            &format!("{sampling}{BATCH}"),
            &file_exporter(folder, ""),
        )
    })
    .await;
    let spans = running.folder.path().join("spans");
    let arguments = [
        "--sampled",
        "10%",
        "--sampled-keep",
        "errors",
        "--patience",
        "15s",
    ];
    let verdict = verified(port, spans.to_str().unwrap(), &arguments).await;
    verdict.is(0, &[("missing", 0), ("pieces", 0), ("altered", 0)]);
    let not_sampled = verdict.json["not_sampled"].as_u64().unwrap();
    assert!((60..120).contains(&not_sampled), "{:#}", verdict.json);
}

async fn zipkin_behind_a_collector_is_whole() {
    let (port, query) = (free_port(), free_port());
    let folder = tempfile::tempdir().unwrap();
    let program = Peer::Zipkin.program().unwrap();
    let mut command = match program
        .extension()
        .is_some_and(|extension| extension == "jar")
    {
        true => {
            let mut java = Command::new("java");
            java.arg("-jar").arg(&program);
            java
        }
        false => Command::new(&program),
    };
    command
        .env("QUERY_PORT", query.to_string())
        .current_dir(&folder);
    let _zipkin = Running::wait(command, folder, query).await;
    let _collector = Running::start(Peer::Collector, &["--config"], port, |_| {
        let zipkin = format!("zipkin: {{endpoint: 'http://127.0.0.1:{query}/api/v2/spans'}}");
        collector(port, BATCH, &zipkin)
    })
    .await;
    let backend = format!("http://127.0.0.1:{query}");
    let verdict = verified(port, &backend, &[]).await;
    is_whole(&verdict);
    let notes = verdict.json["not_compared"].to_string();
    assert!(
        notes.contains("link"),
        "what Zipkin does not keep is said: {notes}"
    );
}

async fn jaeger_is_whole() {
    let (port, query, health) = (free_port(), free_port(), free_port());
    let grpc = free_port();
    let _jaeger = Running::start(Peer::Jaeger, &["--config"], query, |_| {
        format!(
            "service:\n  extensions: [jaeger_storage, jaeger_query, healthcheckv2]\n  \
             telemetry: {{metrics: {{level: none}}}}\n  \
             pipelines:\n    traces: {{receivers: [otlp], exporters: [jaeger_storage_exporter]}}\n\
             extensions:\n  jaeger_storage: {{backends: {{here: {{memory: {{max_traces: 10000}}}}}}}}\n  \
             jaeger_query:\n    storage: {{traces: here}}\n    http: {{endpoint: '127.0.0.1:{query}'}}\n    \
             grpc: {{endpoint: '127.0.0.1:{grpc}'}}\n  \
             healthcheckv2: {{use_v2: true, http: {{endpoint: '127.0.0.1:{health}'}}}}\n\
             receivers: {{otlp: {{protocols: {{http: {{endpoint: '127.0.0.1:{port}'}}}}}}}}\n\
             exporters: {{jaeger_storage_exporter: {{trace_storage: here}}}}\n"
        )
    })
    .await;
    let backend = format!("http://127.0.0.1:{query}");
    let verdict = verified(port, &backend, &[]).await;
    is_whole(&verdict);
    assert!(verdict.json["backend"].as_str().unwrap().contains("Jaeger"));
}

/// Tempo 3, all in one process.
async fn tempo_is_whole() {
    let (port, query, grpc, gossip) = (free_port(), free_port(), free_port(), free_port());
    let _tempo = Running::start(Peer::Tempo, &["-config.file"], query, |folder| {
        let folder = folder.display();
        let ring = "{kvstore: {store: inmemory}, instance_addr: 127.0.0.1}";
        format!(
            "server: {{http_listen_address: 127.0.0.1, http_listen_port: {query}, \
             grpc_listen_address: 127.0.0.1, grpc_listen_port: {grpc}}}\n\
             memberlist: {{bind_addr: [127.0.0.1], bind_port: {gossip}}}\n\
             usage_report: {{reporting_enabled: false}}\n\
             distributor:\n  ring: {ring}\n  \
             receivers: {{otlp: {{protocols: {{http: {{endpoint: '127.0.0.1:{port}'}}}}}}}}\n\
             live_store:\n  ring: {ring}\n  partition_ring: {{kvstore: {{store: inmemory}}}}\n  \
             shutdown_marker_dir: '{folder}/marker'\n  wal: {{path: '{folder}/live'}}\n\
             query_frontend: {{query_end_cutoff: 0s}}\n\
             querier: {{frontend_worker: {{frontend_address: '127.0.0.1:{grpc}'}}}}\n\
             backend_scheduler: {{local_work_path: '{folder}/work'}}\n\
             storage: {{trace: {{backend: local, wal: {{path: '{folder}/wal'}}, local: {{path: '{folder}/blocks'}}}}}}\n"
        )
    })
    .await;
    let backend = format!("http://127.0.0.1:{query}");
    let verdict = verified(port, &backend, &["--patience", "60s"]).await;
    is_whole(&verdict);
    assert!(verdict.json["backend"].as_str().unwrap().contains("Tempo"));
}

async fn rotel_forwards_everything() {
    let (port, grpc) = (free_port(), free_port());
    let folder = tempfile::tempdir().unwrap();
    let spans = folder.path().join("spans");
    fs::create_dir(&spans).unwrap();
    let file = Destination::File(spans.join("traces.jsonl"));
    let sink = MiddleMan::start(file, Duration::ZERO, |_| {}).await;
    let backend = folder.path().to_str().unwrap().to_owned();
    let mut command = Command::new(Peer::Rotel.program().unwrap());
    command.arg("start").current_dir(&folder);
    for (option, value) in [
        ("--otlp-http-endpoint", format!("127.0.0.1:{port}")),
        ("--otlp-grpc-endpoint", format!("127.0.0.1:{grpc}")),
        ("--exporter", "otlp".to_owned()),
        ("--otlp-exporter-protocol", "http".to_owned()),
        (
            "--otlp-exporter-endpoint",
            sink.endpoint().replace("/v1/traces", ""),
        ),
        ("--pid-file", format!("{backend}/rotel.pid")),
    ] {
        command.args([option, &value]);
    }
    let _rotel = Running::wait(command, folder, port).await;
    let verdict = verified(port, &backend, &[]).await;
    is_whole(&verdict);
}
