//! The `rowcast` program.

use std::process::ExitCode;

use clap::Parser;
use rowcast::{cli::Cli, telemetry};

#[tokio::main]
async fn main() -> ExitCode {
    let telemetry = telemetry::start();
    let ended = Cli::parse().run().await;
    telemetry.finish().await;
    match ended {
        Ok(code) => code,
        Err(error) => {
            eprintln!("rowcast: {error:#}");
            ExitCode::FAILURE
        }
    }
}
