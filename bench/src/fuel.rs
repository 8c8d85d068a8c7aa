//! The instructions of WebAssembly that a request takes, counted by wasmtime's fuel in the component as
//! it is shipped. They cover what [`crate::cost`] counts natively, step by step, and what only a component does. A
//! copied byte counts like an instruction.

use std::path::Path;

use anyhow::{Result, ensure};
use bench_steps::{REQUESTS, request};
use comfy_table::Table;
use tracing_tail_host::engine;
use wasmtime::{Config, Engine};

use crate::instances::{Conversation, Loaded};
use crate::report::{table, thousands};
use crate::rows::{Row, build};
use crate::server::repository;
use tracing_tail_testkit::span_counter::SpanCounter;

/// The rows whose instances serve more than one request and call no other service.
const ROWS: [Row; 4] = [Row::Floor, Row::Untraced, Row::Unexported, Row::Exported];

/// The instructions of an instance.
struct Fuel {
    instantiated: f64,
    first: f64,
    further: f64,
    export: f64,
}

/// Counts for every row.
///
/// # Errors
/// If a component does not build, start, answer or export.
pub async fn fuel() -> Result<Table> {
    let mut config = Config::new();
    config.consume_fuel(true);
    let engine = engine::with_config(config)?;
    let collector = SpanCounter::start().await?;
    let state = tempfile::tempdir()?;
    let mut table = table(&[
        "",
        "instantiation",
        "first request",
        "each further one",
        "export, a request's share",
    ]);
    for row in ROWS {
        let fuel = count(row, &engine, &collector, state.path()).await?;
        table.add_row([
            row.title().to_owned(),
            thousands(fuel.instantiated),
            thousands(fuel.first),
            thousands(fuel.further),
            thousands(fuel.export),
        ]);
    }
    Ok(table)
}

async fn count(row: Row, engine: &Engine, collector: &SpanCounter, state: &Path) -> Result<Fuel> {
    let endpoint = collector.endpoint(row.key());
    let traced = [
        ("endpoint", endpoint.as_str()),
        // All spans leave in one batch, after the last request has been answered.
        ("bsp_schedule_delay", "2000"),
        ("bsp_max_export_batch_size", "512"),
    ];
    let (component, settings) = match row {
        Row::Floor => (("bench/floor/spin.toml", "floor"), Vec::new()),
        _ => (("spin.toml", "tracing-tail"), traced.to_vec()),
    };
    let sets = match row {
        Row::Untraced => Some(("sdk_disabled", "true")),
        Row::Unexported => Some(("traces_sampler", "always_off")),
        _ => None,
    };
    let settings: Vec<_> = settings.into_iter().chain(sets).collect();
    build(&repository().join(component.0)).await?;
    let loaded = Loaded::new(engine, component, &settings, state)?;
    let mut instance = loaded.instance(|store| store.set_fuel(u64::MAX)).await?;
    let conversation = instance.converse(async |talk| {
        let instantiated = used(talk)?;
        talk.answer(request()).await?;
        let first = used(talk)?;
        for _ in 1..REQUESTS {
            talk.answer(request()).await?;
        }
        let last = used(talk)?;
        talk.idle().await;
        Ok(Fuel {
            instantiated,
            first: first - instantiated,
            further: (last - first) / (REQUESTS - 1) as f64,
            export: (used(talk)? - last) / REQUESTS as f64,
        })
    });
    let fuel = conversation.await?;
    let spans = row.spans_per_request() * REQUESTS as u64;
    let exports = u64::from(spans > 0);
    let received = collector.received(row.key());
    ensure!(
        (received.spans, received.exports) == (spans, exports),
        "{received:?} instead of {spans} spans in one export"
    );
    Ok(fuel)
}

fn used(talk: &Conversation<'_>) -> Result<f64> {
    Ok((u64::MAX - talk.fuel()?) as f64)
}
