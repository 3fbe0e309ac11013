//! Runs a command with `DATABASE_URL` set to an empty private Postgres, which is gone when the command has ended.
//!
//! ```sh
//! cargo run --example with_postgres -- npm --prefix web run e2e
//! ```
//!
//! `ROWCAST_POSTGRES_BIN` names the directory of the server's programs; without it the newest on this machine is taken.

use std::process::ExitCode;

use anyhow::Context;
use rowcast::private_postgres::{Options, PrivatePostgres};

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    let program = arguments.next().context("usage: with_postgres COMMAND [ARGUMENT…]")?;
    let postgres = PrivatePostgres::start(Options {
        directory: std::env::temp_dir().join(format!("rowcast-{:016x}", fastrand::u64(..))),
        embedded: ".rowcast/embedded".into(),
        binaries: std::env::var_os("ROWCAST_POSTGRES_BIN").map(Into::into),
        throwaway: true,
        settings: Vec::new(),
    })
    .await?;
    let mut command = tokio::process::Command::new(program);
    command.args(arguments).env("DATABASE_URL", postgres.url("postgres"));
    let status = tokio::select! {
        status = command.status() => status?.code(),
        // The command gets the terminal's Ctrl-C too; what is left for us is to clear up.
        _ = tokio::signal::ctrl_c() => None,
    };
    postgres.stop().await?;
    Ok(status.and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}
