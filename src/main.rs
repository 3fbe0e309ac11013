//! The `rowcast` program.

use std::{process::ExitCode, time::Duration};

use clap::Parser;
use rowcast::{cli::Cli, telemetry};
use tikv_jemallocator::Jemalloc;
use tokio::runtime::Runtime;

/// It gives back what thousands of streams leave behind when they come and go, where the system's would keep most of it. How soon is set in `.cargo/config.toml`, since
/// it has to be known before the first allocation.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

/// What is left of tasks at the end is dropped within this.
const FAREWELL: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let runtime = match Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("rowcast: no threads to run on: {error}");
            return ExitCode::FAILURE;
        }
    };
    let code = runtime.block_on(run());
    // The look-up of a name cannot be called off, and where nobody answers it goes on for half a minute.
    runtime.shutdown_timeout(FAREWELL);
    code
}

async fn run() -> ExitCode {
    let telemetry = telemetry::start();
    let ended = Box::pin(Cli::parse().run()).await;
    telemetry.finish().await;
    match ended {
        Ok(code) => code,
        Err(error) => {
            eprintln!("rowcast: {error:#}");
            ExitCode::FAILURE
        }
    }
}
