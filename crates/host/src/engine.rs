//! wasmtime, configured as Spin configures it: a pool for instances, a cache for compiled code, and epochs that
//! interrupt guests.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use wasmtime::component::Component;
use wasmtime::{
    Cache, Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig,
};

/// The slots of the pool, for instances of all components together. The memory budget bounds them far earlier; a
/// slot costs address space alone.
const MAX_INSTANCES: u32 = 4_000;
/// How much of a linear memory stays resident for the next instance, in bytes: more than most requests write.
const RESIDENT_MEMORY: usize = 256 * 1024;
/// How much of a table stays resident, in bytes.
const RESIDENT_TABLE: usize = 16 * 1024;

/// Makes the engine.
///
/// # Errors
/// If wasmtime does not support this machine.
pub fn engine() -> Result<Engine> {
    with_config(Config::new())
}

/// Makes the engine, with additional settings.
///
/// # Errors
/// As [`engine`].
pub fn with_config(mut config: Config) -> Result<Engine> {
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

fn pool() -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    // A component holds a few core instances, each with tables, and one memory.
    pool.total_component_instances(MAX_INSTANCES)
        // An instance keeps one, and takes others for calls that block in the host.
        .total_stacks(2 * MAX_INSTANCES)
        .total_memories(MAX_INSTANCES)
        .total_core_instances(4 * MAX_INSTANCES)
        .total_tables(4 * MAX_INSTANCES);
    // Where the kernel tells which pages an instance wrote, only those are wiped, and its successor
    // takes no page faults for them. Elsewhere this would write pages that nobody has touched.
    if PoolingAllocationConfig::is_pagemap_scan_available() {
        pool.pagemap_scan(Enabled::Yes)
            .linear_memory_keep_resident(RESIDENT_MEMORY)
            .table_keep_resident(RESIDENT_TABLE);
    }
    pool
}

/// Compiles the component in the file at `path`, or takes it from the cache.
///
/// # Errors
/// If the file can't be read, or is no component.
pub fn compile(engine: &Engine, path: &Path) -> Result<Component> {
    let bytes =
        std::fs::read(path).with_context(|| format!("failed to read {}", path.display()))?;
    compile_bytes(engine, &bytes, path)
}

/// Compiles the component that `path` stands for, or takes it from the cache.
///
/// # Errors
/// If the bytes are no component.
pub fn compile_bytes(engine: &Engine, bytes: &[u8], path: &Path) -> Result<Component> {
    if !bytes.starts_with(b"\0asm") {
        bail!("{} is no WebAssembly component", path.display());
    }
    Component::from_binary(engine, bytes)
        .map_err(anyhow::Error::from)
        .with_context(|| {
            format!(
                "{} is no WebAssembly component that runs here",
                path.display()
            )
        })
}
