//! The test kit, with what only this package knows: the program under test, its manifests, and its components.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use tracing_tail_testkit::app::StopOnDrop;

pub use tracing_tail_testkit::app::App;
pub use tracing_tail_testkit::broken_collector::{BrokenCollector, refusing_address};
pub use tracing_tail_testkit::browser::Browser;
pub use tracing_tail_testkit::collector::Collector;
pub use tracing_tail_testkit::downstream::{Answer, Downstream};
pub use tracing_tail_testkit::event_gate::{EventGate, Passage};
pub use tracing_tail_testkit::launch::Launch;
pub use tracing_tail_testkit::span_record::SpanRecord;
pub use tracing_tail_testkit::span_tree::render;
pub use tracing_tail_testkit::wait::{PATIENCE, eventually};

use crate::harness::{Peer, World};

/// The embedded host's program.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_tracing-tail");

/// The repository's folder.
pub fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// The Spin that the suite runs on, if `TRACING_TAIL_SPIN` names one.
pub fn spin() -> Option<PathBuf> {
    std::env::var_os("TRACING_TAIL_SPIN").map(PathBuf::from)
}

/// Whether an instance serves several requests in this test's world.
pub fn reuses_instances() -> bool {
    World::current().reuses_instances()
}

/// The application of this test's world, whose components are built by now.
pub fn launch_app() -> Launch {
    let world = World::current();
    build(world.manifest());
    let manifest = repository().join(world.manifest());
    let launch = match (world, spin()) {
        (World::Wasmtime, _) => {
            let wasmtime = Peer::Wasmtime.program().expect("the test needs it");
            Launch::serve(wasmtime, repository().join(WASI_HTTP))
        }
        (_, Some(spin)) => Launch::new(spin, manifest).stop_on_drop(StopOnDrop::Terminate),
        (_, None) => Launch::new(PROGRAM, manifest)
            .argument("--otlp-listen")
            .argument("none"),
    };
    let launch = match world.has_app() {
        true => launch,
        // Nothing maps the environment to variables.
        false => launch.pass_env(),
    };
    launch.current_dir(repository())
}

/// The component for any host of `wasi:http`, in the repository.
pub const WASI_HTTP: &str = "target/wasi-http/wasm32-wasip2/component/tracing_tail.wasm";

/// The services `service-b` and `service-c`, which a service calls by URL.
#[derive(Debug)]
pub struct Downstreams {
    /// Their URLs.
    pub urls: [String; 2],
    /// Where they are not components of the caller's app, they stop when this is dropped.
    _apps: Vec<App>,
}

impl Downstreams {
    /// Those of the app; where there is none, servers of their own, which have these settings besides their names.
    pub async fn start(collector: &Collector, settings: &[(&str, &str)]) -> Downstreams {
        let names = ["service-b", "service-c"];
        if World::current().has_app() {
            return Downstreams {
                urls: names.map(|name| format!("http://{name}.spin.internal")),
                _apps: Vec::new(),
            };
        }
        let start = async |name: &str| {
            let launch = launch_exporting_to(collector).env("APP_NAME", name);
            let launch = settings.iter().fold(launch, |launch, (setting, value)| {
                launch.env(setting, *value)
            });
            launch.start().await
        };
        let apps = [start(names[0]).await, start(names[1]).await];
        Downstreams {
            urls: [apps[0].url(""), apps[1].url("")],
            _apps: apps.into(),
        }
    }
}

/// The application, which exports its spans to `collector`.
pub fn launch_exporting_to(collector: &Collector) -> Launch {
    launch_app().env("OTLP_ENDPOINT", collector.endpoint())
}

/// Builds the components of a manifest, once.
pub fn build(manifest: &'static str) {
    static BUILT: Mutex<BTreeSet<&str>> = Mutex::new(BTreeSet::new());
    let mut built = BUILT.lock().unwrap();
    if built.insert(manifest) {
        let status = Command::new(PROGRAM)
            .arg("build")
            .arg("--from")
            .arg(repository().join(manifest))
            .status();
        assert!(status.unwrap().success(), "the component does not build");
    }
}

/// Saves a picture of the browser's page as `target/screenshots/<name>.png`.
pub async fn screenshot(browser: &Browser, name: &str) {
    let folder = repository().join("target/screenshots");
    browser
        .screenshot(&folder.join(format!("{name}.png")))
        .await;
}
