//! Cold start: how long the first request to a fresh instance waits, and how much memory the instance then holds.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use bytes::Bytes;
use comfy_table::Table;
use http::Request;
use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System};
use tracing_tail_host::engine;
use tracing_tail_host::instance::State;
use wasmtime::{Engine, ResourceLimiter, Store};

use crate::instances::{Loaded, Settings};
use crate::report::{Bar, bars_table, table, thousands};
use crate::rows::build;
use crate::server::repository;
use crate::stats::median;

/// How many instances of each component are kept at once to measure their memory. As many are timed afterwards, in
/// memory that earlier instances have released, as in a host that has run for a while.
const INSTANCES: usize = 200;
const MOST_BYTES: f64 = 500_000.0;
const MOST_TIME: Duration = Duration::from_millis(1);

/// A component, and its first request.
struct Subject {
    title: &'static str,
    manifest: &'static str,
    id: &'static str,
    settings: Settings<'static>,
    request: fn() -> Request<Bytes>,
}

/// The first is the floor for the others; the goals apply to the services.
const SUBJECTS: [Subject; 5] = [
    Subject {
        title: "floor: echo of the body",
        manifest: "bench/floor/spin.toml",
        id: "floor",
        settings: &[],
        request: bench_steps::request,
    },
    Subject {
        title: "service",
        manifest: "spin.toml",
        id: "tracing-tail",
        settings: &[],
        request: bench_steps::request,
    },
    Subject {
        title: "service, WASI 0.2",
        manifest: "spin.wasip2.toml",
        id: "tracing-tail",
        settings: &[],
        request: bench_steps::request,
    },
    Subject {
        title: "viewer, its page",
        manifest: "spin.toml",
        id: "viewer",
        settings: &[],
        request: page,
    },
    Subject {
        title: "viewer, WASI 0.2, its page",
        manifest: "spin.wasip2.toml",
        id: "viewer",
        settings: &[],
        request: page,
    },
];

/// The measurements of a component.
struct Start {
    subject: &'static Subject,
    loaded: Loaded,
    bytes: f64,
    compiled: Duration,
    instantiated: Vec<f64>,
    first_byte: Vec<f64>,
    memory: f64,
    resident: f64,
}

/// Starts fresh instances of every component. Returns a table, and which goals they reach.
///
/// # Errors
/// If a component does not build, start or answer.
pub async fn cold_start() -> Result<String> {
    let state = tempfile::tempdir()?;
    let mut starts = Vec::new();
    for subject in &SUBJECTS {
        build(&repository().join(subject.manifest)).await?;
        let component = (subject.manifest, subject.id);
        // An engine of its own, which holds no memory of earlier instances.
        let engine = engine::engine()?;
        let loaded = Loaded::new(&engine, component, subject.settings, state.path())?;
        let wasm = std::fs::read(&loaded.source)?;
        let compiled = time_to_compile(&engine, &wasm)?;
        let mut start = Start {
            subject,
            loaded,
            bytes: wasm.len() as f64,
            compiled,
            instantiated: Vec::new(),
            first_byte: Vec::new(),
            memory: 0.0,
            resident: 0.0,
        };
        start.weigh().await?;
        starts.push(start);
    }
    // Alternating, so that other load on the machine slows down all of them.
    for _ in 0..INSTANCES {
        for start in &mut starts {
            start.time().await?;
        }
    }
    Ok(format!(
        "{}\n\n{}",
        rows(&starts),
        bars_table(&bars(&starts))
    ))
}

/// Compiles without the cache.
fn time_to_compile(engine: &Engine, wasm: &[u8]) -> Result<Duration> {
    let started = Instant::now();
    engine.precompile_component(wasm)?;
    Ok(started.elapsed())
}

impl Start {
    /// Times a fresh instance.
    async fn time(&mut self) -> Result<()> {
        let request = (self.subject.request)();
        let started = Instant::now();
        let mut instance = self.loaded.instance(|_| Ok(())).await?;
        self.instantiated.push(microseconds(started.elapsed()));
        let head = instance.answer(request).await?;
        self.first_byte.push(microseconds(head - started));
        Ok(())
    }

    /// Measures the memory of instances that have served a request and are still alive.
    async fn weigh(&mut self) -> Result<()> {
        LINEAR_MEMORY.store(0, Ordering::Relaxed);
        let mut instances = Vec::with_capacity(INSTANCES);
        let before = resident()?;
        for _ in 0..INSTANCES {
            // The box is empty, so nothing leaks.
            let scales = |store: &mut Store<State>| {
                store.limiter(|_| Box::leak(Box::new(Scales)));
                Ok(())
            };
            let mut instance = self.loaded.instance(scales).await?;
            instance.answer((self.subject.request)()).await?;
            instances.push(instance);
        }
        let each = |bytes: f64| bytes / INSTANCES as f64;
        self.resident = each(resident()? - before);
        self.memory = each(LINEAR_MEMORY.load(Ordering::Relaxed) as f64);
        Ok(())
    }
}

/// The linear memory that instances have been granted, in bytes.
static LINEAR_MEMORY: AtomicUsize = AtomicUsize::new(0);

/// Grants every request for memory, and adds them up.
struct Scales;

impl ResourceLimiter for Scales {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        LINEAR_MEMORY.fetch_add(desired - current, Ordering::Relaxed);
        Ok(true)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        _desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(true)
    }
}

/// The memory of this process that is resident, in bytes.
fn resident() -> Result<f64> {
    let this = sysinfo::get_current_pid().map_err(anyhow::Error::msg)?;
    let mut system = System::new();
    let memory = ProcessRefreshKind::nothing().with_memory();
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[this]), false, memory);
    let process = system.process(this).context("this process is not listed")?;
    Ok(process.memory() as f64)
}

fn rows(starts: &[Start]) -> Table {
    let mut table = table(&[
        "",
        "bytes",
        "compiled in ms",
        "instantiated in µs",
        "first byte after µs",
        "linear memory KiB",
        "resident KiB/instance",
    ]);
    for start in starts {
        table.add_row([
            start.subject.title.to_owned(),
            thousands(start.bytes),
            thousands(start.compiled.as_secs_f64() * 1e3),
            thousands(median(start.instantiated.iter().copied())),
            thousands(median(start.first_byte.iter().copied())),
            thousands(start.memory / 1024.0),
            thousands(start.resident / 1024.0),
        ]);
    }
    table
}

/// The limits that the services have to stay under.
fn bars(starts: &[Start]) -> Vec<Bar> {
    let services = starts
        .iter()
        .filter(|start| start.subject.id == "tracing-tail");
    let bars = services.flat_map(|start| {
        let title = start.subject.title;
        let first_byte = median(start.first_byte.iter().copied());
        [
            Bar {
                what: format!("{title}: less than {} bytes", thousands(MOST_BYTES)),
                measured: thousands(start.bytes),
                reached: start.bytes < MOST_BYTES,
            },
            Bar {
                what: format!("{title}: first byte in less than {MOST_TIME:?}"),
                measured: format!("{} µs", thousands(first_byte)),
                reached: first_byte < microseconds(MOST_TIME),
            },
        ]
    });
    bars.collect()
}

fn microseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// Requests the viewer's page.
fn page() -> Request<Bytes> {
    let request = Request::get("http://127.0.0.1:3000/traces/").body(Bytes::new());
    request.expect("it is well-formed")
}
