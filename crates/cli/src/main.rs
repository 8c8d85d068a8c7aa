//! The program `tracing-tail`.

use std::process::ExitCode;

use clap::Parser as _;
use mimalloc::MiMalloc;
use tracing_tail_cli::cli::Cli;
use tracing_tail_cli::{report, run};

/// Requests are many small allocations; the system's allocator takes a seventh more CPU time for them.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

// The shards serve requests. One worker handles signals while the main thread compiles.
#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() -> ExitCode {
    match run(Cli::parse()).await {
        Ok(status) => status,
        Err(error) => {
            report(&error);
            ExitCode::FAILURE
        }
    }
}
