//! wasmtime, set up as Spin sets it up: a pool for instances, a cache for compiled code, and the
//! interfaces that a component may import.

use std::io;
use std::path::Path;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use wasmtime::component::{Component, Linker};
use wasmtime::{
    Cache, Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig,
};
use wasmtime_wasi_http::handler::ProxyPre;
use wasmtime_wasi_http::{p2, p3};

use crate::instance::{State, link_variables};
use crate::sqlite;

/// For how many instances the pool has places, of all components together: far more than there is room for
/// (`room.rs`), which is what bounds them. A place costs address space alone.
const MAX_INSTANCES: u32 = 4_000;
/// What is kept of a linear memory for the next instance, in bytes: more than most requests write.
const KEPT_OF_MEMORY: usize = 256 * 1024;
/// The same of a table.
const KEPT_OF_TABLE: usize = 16 * 1024;
/// How often a guest that computes is asked whether others wait for its core ([`Turn`](crate::instance::Turn)).
const TICK: Duration = Duration::from_millis(5);

/// Makes the engine.
///
/// # Errors
/// Where wasmtime does not support this machine.
pub fn engine() -> Result<Engine> {
    with(Config::new())
}

/// Makes the engine, with settings besides its own.
///
/// # Errors
/// As [`engine`].
pub fn with(mut config: Config) -> Result<Engine> {
    config.wasm_component_model_async(true);
    config.epoch_interruption(true);
    // Without a home folder there is no cache, and code is compiled at each start.
    config.cache(Cache::from_file(None).ok());
    config.allocation_strategy(pool());
    // The pool reserves terabytes of address space, which some machines do not have.
    let engine = Engine::new(&config).or_else(|_| {
        config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
        Engine::new(&config)
    });
    engine
        .map_err(anyhow::Error::from)
        .context("failed to start wasmtime")
}

/// Counts the epochs of an engine, by which its guests are interrupted, for as long as there is one.
///
/// # Errors
/// Where a thread does not start.
pub fn tick(engine: &Engine) -> io::Result<()> {
    let engine = engine.weak();
    let tick = move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            thread::sleep(TICK);
        }
    };
    let thread = thread::Builder::new().name("epochs".to_owned());
    thread.spawn(tick).map(|_| ())
}

fn pool() -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    // A component holds a few core instances, each with tables, and one memory.
    pool.total_component_instances(MAX_INSTANCES)
        // An instance keeps one, and takes others for calls that are stuck in the host.
        .total_stacks(2 * MAX_INSTANCES)
        .total_memories(MAX_INSTANCES)
        .total_core_instances(4 * MAX_INSTANCES)
        .total_tables(4 * MAX_INSTANCES);
    // Where the kernel tells which pages an instance wrote, only those are wiped, and its successor
    // takes no page faults for them. Elsewhere this would write pages that nobody has touched.
    if PoolingAllocationConfig::is_pagemap_scan_available() {
        pool.pagemap_scan(Enabled::Yes)
            .linear_memory_keep_resident(KEPT_OF_MEMORY)
            .table_keep_resident(KEPT_OF_TABLE);
    }
    pool
}

/// Compiles the component in the file at `path`, or takes it from the cache.
///
/// # Errors
/// Where the file can't be read, or is no component.
pub fn compile(engine: &Engine, path: &Path) -> Result<Component> {
    let bytes =
        std::fs::read(path).with_context(|| format!("failed to read {}", path.display()))?;
    if !bytes.starts_with(b"\0asm") {
        bail!("{} is no WebAssembly component", path.display());
    }
    Component::from_binary(engine, &bytes)
        .map_err(anyhow::Error::from)
        .with_context(|| {
            format!(
                "{} is no WebAssembly component that runs here",
                path.display()
            )
        })
}

/// Links a component to the interfaces that Spin offers to HTTP components: WASI 0.2 and 0.3, the
/// variables of both, and the database of 0.3.
///
/// # Errors
/// Where the component imports anything else, or exports no HTTP handler.
pub fn link(component: &Component) -> Result<ProxyPre<State>> {
    let mut linker = Linker::<State>::new(component.engine());
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi::p3::add_to_linker(&mut linker)?;
    p2::add_only_http_to_linker_async(&mut linker)?;
    p3::add_to_linker(&mut linker)?;
    link_variables(&mut linker)?;
    sqlite::link(&mut linker)?;
    let instance = linker.instantiate_pre(component)?;
    match p3::bindings::ServicePre::new(instance.clone()) {
        Ok(service) => Ok(ProxyPre::P3(service)),
        Err(_) => p2::bindings::ProxyPre::new(instance)
            .map(ProxyPre::P2)
            .map_err(anyhow::Error::from)
            .context("it exports neither wasi:http/handler@0.3 nor wasi:http/incoming-handler@0.2"),
    }
}
