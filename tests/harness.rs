//! Which tests there are, what each needs, and the world that it runs in.
//!
//! Every module has a list, `TESTS`, made by [`tests!`]. A function that is missing from its list is dead code, which
//! the lints refuse. A test whose needs can't be met here is reported as ignored, with the reason.

use std::cell::Cell;
use std::path::PathBuf;

use libtest_mimic::{Completion, Failed, Trial};
use tracing_tail_cli::embedded::COMPONENTS;
use tracing_tail_testkit::browser;

use crate::support::spin;

/// Set where the tests in a browser have to run, as in CI: without one they fail instead of being ignored.
const REQUIRE_BROWSER: &str = "TRACING_TAIL_REQUIRE_BROWSER";

/// The world that the component is built for, and, where it is alone, the host that it runs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum World {
    /// WASI 0.3: an instance serves many requests.
    Wasip3,
    /// WASI 0.2: each request has an instance of its own.
    Wasip2,
    /// `wasi:http` of WASI 0.2 and nothing of Spin, in the host that runs the other worlds too.
    WasiHttp,
    /// The same component by `wasmtime serve`.
    Wasmtime,
}

thread_local! {
    /// The world of the test on this thread.
    static WORLD: Cell<World> = const { Cell::new(World::Wasip3) };
}

impl World {
    /// The world of the test that runs on this thread.
    pub fn current() -> World {
        WORLD.get()
    }

    /// The manifest of this world. wasmtime does not read it; it says how the component is built.
    pub fn manifest(self) -> &'static str {
        match self {
            World::Wasip3 => "spin.toml",
            World::Wasip2 => "spin.wasip2.toml",
            World::WasiHttp | World::Wasmtime => "spin.wasi-http.toml",
        }
    }

    /// Whether the component is one of several in an app.
    pub fn has_app(self) -> bool {
        matches!(self, World::Wasip3 | World::Wasip2)
    }

    /// Whether an instance serves several requests.
    pub fn reuses_instances(self) -> bool {
        self == World::Wasip3
    }

    fn name(self) -> &'static str {
        match self {
            World::Wasip3 => "wasip3",
            World::Wasip2 => "wasip2",
            World::WasiHttp => "wasi_http",
            World::Wasmtime => "wasmtime",
        }
    }
}

/// What a test needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// An application, on any host; or only the repository's files.
    Nothing,
    /// The embedded host: the test is about the host itself, not about the component.
    EmbeddedHost,
    /// Instances that serve several requests.
    ReusedInstances,
    /// Instances that serve one request each, in the embedded host.
    OwnInstances,
    /// A program that was built with its components inside.
    ComponentsInside,
    /// Chromium and its driver.
    Browser,
    /// Those, and the embedded host.
    BrowserAndEmbeddedHost,
    /// Programs of others, each named by an environment variable.
    Peers(&'static [Peer]),
    /// The same, and the embedded host.
    Senders(&'static [Peer]),
}

/// A program of others: spans pass through it or end in it, or it runs the component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// The OpenTelemetry Collector, with the processors `batch` and `tail_sampling` and the exporters `file`, `otlp`,
    /// `otlphttp` and `zipkin`.
    Collector,
    /// A client with OpenTelemetry's SDK for Go, in `tests/peers`.
    Go,
    /// Jaeger 2.
    Jaeger,
    /// A client with the SDK for Java.
    Java,
    /// A client with the SDK for JavaScript.
    JavaScript,
    /// A client with the SDK for Python.
    Python,
    /// Rotel.
    Rotel,
    /// The Collector's generator of telemetry.
    Telemetrygen,
    /// Grafana Tempo.
    Tempo,
    /// Wasmtime's command line, with `serve`.
    Wasmtime,
    /// Zipkin: a program, or its jar.
    Zipkin,
}

impl Peer {
    /// The environment variable that names the program.
    pub fn variable(self) -> &'static str {
        match self {
            Peer::Collector => "TRACING_TAIL_COLLECTOR",
            Peer::Go => "TRACING_TAIL_GO_CLIENT",
            Peer::Jaeger => "TRACING_TAIL_JAEGER",
            Peer::Java => "TRACING_TAIL_JAVA_CLIENT",
            Peer::JavaScript => "TRACING_TAIL_JAVASCRIPT_CLIENT",
            Peer::Python => "TRACING_TAIL_PYTHON_CLIENT",
            Peer::Rotel => "TRACING_TAIL_ROTEL",
            Peer::Telemetrygen => "TRACING_TAIL_TELEMETRYGEN",
            Peer::Tempo => "TRACING_TAIL_TEMPO",
            Peer::Wasmtime => "TRACING_TAIL_WASMTIME",
            Peer::Zipkin => "TRACING_TAIL_ZIPKIN",
        }
    }

    /// The program, if it is there.
    pub fn program(self) -> Option<PathBuf> {
        std::env::var_os(self.variable()).map(PathBuf::from)
    }

    /// The reason of a test that needs it, where it is absent.
    fn absent(self) -> String {
        format!("{} names no program", self.variable())
    }
}

impl Needs {
    /// Why a test with these needs can't run here.
    fn unmet(self, world: World) -> Option<String> {
        if world == World::Wasmtime && Peer::Wasmtime.program().is_none() {
            return Some(Peer::Wasmtime.absent());
        }
        let reason = match self {
            Needs::EmbeddedHost
            | Needs::OwnInstances
            | Needs::BrowserAndEmbeddedHost
            | Needs::Senders(_)
                if spin().is_some() =>
            {
                Some("needs the embedded host")
            }
            Needs::OwnInstances if world.reuses_instances() => {
                Some("under WASI 0.3 an instance serves many requests")
            }
            Needs::ReusedInstances if !world.reuses_instances() => {
                Some("under WASI 0.2 each request has an instance of its own")
            }
            Needs::ComponentsInside if COMPONENTS.is_empty() => {
                Some("needs a program that was built with TRACING_TAIL_EMBED=1, or --release")
            }
            Needs::Browser | Needs::BrowserAndEmbeddedHost if !browser::is_installed() => {
                Some("needs Chromium: apt-get install chromium chromium-driver")
            }
            Needs::Peers(peers) | Needs::Senders(peers) => {
                let mut peers = peers.iter();
                let absent = peers.find(|peer| peer.program().is_none())?;
                return Some(absent.absent());
            }
            _ => None,
        };
        reason.map(str::to_owned)
    }
}

/// One test.
#[derive(Debug, Clone, Copy)]
pub struct Test {
    /// Its module's path, the crate's name first.
    pub module: &'static str,
    /// Its function.
    pub name: &'static str,
    /// What it needs.
    pub needs: Needs,
    /// Runs it; a failure is a panic.
    pub run: fn(),
}

impl Test {
    /// The test in a world, as the runner takes it: `wasip3::module::name`.
    pub fn trial(self, world: World) -> Trial {
        let (_crate, module) = self.module.split_once("::").unwrap_or_default();
        let name = format!("{}::{module}::{}", world.name(), self.name);
        Trial::ignorable_test(name, move || {
            if let Some(reason) = self.needs.unmet(world) {
                let required = std::env::var_os(REQUIRE_BROWSER).is_some();
                let needs_browser = match self.needs {
                    Needs::Browser => true,
                    Needs::BrowserAndEmbeddedHost => spin().is_none(),
                    _ => false,
                };
                if needs_browser && required {
                    return Err(Failed::from(format!("{REQUIRE_BROWSER} is set: {reason}")));
                }
                return Ok(Completion::ignored_with(reason));
            }
            WORLD.set(world);
            (self.run)();
            Ok(Completion::Completed)
        })
    }
}

/// Runs an asynchronous test, on this thread alone.
pub fn block_on(test: impl Future<Output = ()>) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().expect("a runtime starts");
    runtime.block_on(test);
}

/// A module's list of tests, in groups by what they need; those in `sync` are not `async`.
macro_rules! tests {
    ($($group:ident: [$($test:ident),+ $(,)?])+) => {
        &[$($(
            $crate::harness::Test {
                module: module_path!(),
                name: stringify!($test),
                needs: $crate::harness::tests!(@needs $group),
                run: $crate::harness::tests!(@run $group $test),
            },
        )+)+]
    };
    (@needs sync) => { $crate::harness::Needs::Nothing };
    (@needs any_host) => { $crate::harness::Needs::Nothing };
    (@needs embedded_host) => { $crate::harness::Needs::EmbeddedHost };
    (@needs own_instances) => { $crate::harness::Needs::OwnInstances };
    (@needs reused_instances) => { $crate::harness::Needs::ReusedInstances };
    (@needs browser_and_embedded_host) => {
        $crate::harness::Needs::BrowserAndEmbeddedHost
    };
    (@needs components_inside) => { $crate::harness::Needs::ComponentsInside };
    (@needs browser) => { $crate::harness::Needs::Browser };
    (@needs collector) => { $crate::harness::tests!(@peers Collector) };
    (@needs collector_and_zipkin) => { $crate::harness::tests!(@peers Collector, Zipkin) };
    (@needs go) => { $crate::harness::tests!(@senders Go) };
    (@needs java) => { $crate::harness::tests!(@senders Java) };
    (@needs javascript) => { $crate::harness::tests!(@senders JavaScript) };
    (@needs python) => { $crate::harness::tests!(@senders Python) };
    (@needs telemetrygen) => { $crate::harness::tests!(@senders Telemetrygen) };
    (@needs sending_collector) => { $crate::harness::tests!(@senders Collector) };
    (@needs jaeger) => { $crate::harness::tests!(@peers Jaeger) };
    (@needs rotel) => { $crate::harness::tests!(@peers Rotel) };
    (@needs tempo) => { $crate::harness::tests!(@peers Tempo) };
    (@peers $($peer:ident),+) => {
        $crate::harness::Needs::Peers(&[$($crate::harness::Peer::$peer),+])
    };
    (@senders $($peer:ident),+) => {
        $crate::harness::Needs::Senders(&[$($crate::harness::Peer::$peer),+])
    };
    (@run sync $test:ident) => { $test };
    (@run $group:ident $test:ident) => { || $crate::harness::block_on($test()) };
}
pub(crate) use tests;
