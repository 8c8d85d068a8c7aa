//! End to end: the compiled component in the embedded host, or in the Spin that `TRACING_TAIL_SPIN` names; the one for
//! other hosts also in the wasmtime that `TRACING_TAIL_WASMTIME` names.
//!
//! The tests see the product from outside: HTTP, the manifest, the collector, the terminal. Each appears as
//! `wasip3::module::name` and, where the component's world matters, as `wasip2::`, `wasi_http::` or `wasmtime::module::name`. The usual arguments of
//! a test program apply: a filter, `--exact`, `--skip`, `--list`, `--test-threads`.

#![allow(
    clippy::unwrap_used,
    unreachable_pub,
    missing_docs,
    reason = "test code: it may panic, and nobody imports it"
)]

use std::process::ExitCode;

use libtest_mimic::Arguments;

use crate::harness::{Test, World};

mod bodies;
mod browser;
mod chain;
mod clock;
mod components;
mod conformance;
mod context;
mod contract;
mod deploy;
mod disabled;
mod documents;
mod embedded_host;
mod encoding;
mod examples;
mod export;
mod fanout;
mod faults;
mod forgery;
mod harness;
mod limits;
mod mesh;
mod messages;
mod no_repository;
mod nothing_lost;
mod origin;
mod pressure;
mod propagators;
mod raw_http;
mod report;
mod retries;
mod secrets;
mod security;
mod settings;
mod support;
mod telemetry_faults;
mod traffic;
mod unruly;
mod verify;
mod viewer;
mod wasi_http;

/// Tests of the components: they run in both worlds.
const BOTH_WORLDS: &[&[Test]] = &[
    bodies::TESTS,
    browser::requests::TESTS,
    chain::TESTS,
    clock::TESTS,
    conformance::TESTS,
    conformance::messaging::TESTS,
    conformance::planted::TESTS,
    conformance::planted_messages::TESTS,
    context::TESTS,
    contract::TESTS,
    disabled::TESTS,
    encoding::TESTS,
    export::batches::TESTS,
    export::contents::TESTS,
    export::failures::TESTS,
    export::shutdown::TESTS,
    fanout::TESTS,
    faults::TESTS,
    forgery::TESTS,
    limits::TESTS,
    mesh::worlds::TESTS,
    messages::TESTS,
    nothing_lost::TESTS,
    origin::TESTS,
    pressure::TESTS,
    propagators::TESTS,
    report::TESTS,
    retries::TESTS,
    secrets::TESTS,
    settings::TESTS,
    telemetry_faults::TESTS,
    viewer::access::TESTS,
    viewer::first_minute::TESTS,
    viewer::intake::TESTS,
    viewer::queries::TESTS,
    viewer::store::TESTS,
];

/// Tests of the component that is alone: they run in the host of the other worlds, and by `wasmtime serve`.
const ALONE: &[&[Test]] = &[
    conformance::TESTS,
    disabled::TESTS,
    encoding::TESTS,
    export::contents::TESTS,
    wasi_http::TESTS,
    wasi_http::lifetime::TESTS,
    wasi_http::without_spin::TESTS,
];

/// Tests of the host, the command line, and the repository's files: they run once. So do most of those of the page: it
/// is the same in both worlds, and asks only what the tests of the viewer ask too.
const ONCE: &[&[Test]] = &[
    browser::access::TESTS,
    browser::groups::TESTS,
    browser::accessibility::TESTS,
    browser::list::TESTS,
    browser::live::TESTS,
    browser::map::TESTS,
    browser::peers::TESTS,
    browser::rows::TESTS,
    browser::states::TESTS,
    browser::trace::TESTS,
    components::TESTS,
    deploy::TESTS,
    deploy::compose::TESTS,
    deploy::spinkube::TESTS,
    documents::TESTS,
    embedded_host::TESTS,
    examples::TESTS,
    mesh::TESTS,
    mesh::queues::TESTS,
    no_repository::TESTS,
    raw_http::TESTS,
    security::TESTS,
    traffic::TESTS,
    verify::TESTS,
    verify::faults::TESTS,
    verify::peers::TESTS,
    unruly::TESTS,
    viewer::events::TESTS,
    viewer::peers::TESTS,
    viewer::senders::TESTS,
];

fn main() -> ExitCode {
    let runs = [
        (World::Wasip3, BOTH_WORLDS),
        (World::Wasip3, ONCE),
        (World::Wasip2, BOTH_WORLDS),
        (World::WasiHttp, ALONE),
        (World::Wasmtime, ALONE),
        (World::Wasmtime, &[wasi_http::lifetime::OF_WASMTIME]),
    ];
    let mut trials = Vec::new();
    for (world, lists) in runs {
        let tests = lists.iter().copied().flatten();
        trials.extend(tests.map(|test| test.trial(world)));
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
