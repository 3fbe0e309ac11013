//! The command line: one file for each subcommand.
#![expect(clippy::doc_markdown, reason = "these comments are what --help prints")]

mod attach;
mod demo;
mod doctor;
mod explain;
mod migrate;
mod preset;
mod serve;
mod tables;
mod token;

use std::{
    future::poll_fn,
    io::{self, Write},
    process::ExitCode,
};

pub use self::doctor::codes as doctor_codes;
use clap::{Args, Parser, Subcommand};
use tokio_postgres::{AsyncMessage, Client};
use tokio_util::sync::CancellationToken;

use crate::postgres::{self, Target};

/// Streams Postgres rows to browsers over Server-Sent Events.
#[derive(Parser)]
#[command(name = "rowcast", version, about, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve streams (and bring the database up to date first).
    Serve(serve::Serve),
    /// Run the example app with a private Postgres, and show its dashboard.
    Demo(demo::Demo),
    /// Bring the database up to date.
    Migrate(migrate::Migrate),
    /// Turn the changes of a table, or of an app's tables, into events.
    Attach(attach::Attach),
    /// Undo attach.
    Detach(attach::Detach),
    /// List the tables that are attached.
    Tables(tables::Tables),
    /// Sign a token for development.
    Token(token::Token),
    /// Look for what is wrong with a database, and with a running server; change nothing.
    Doctor(doctor::Doctor),
    /// Would this user get this event now, and if not, which rule says so?
    Explain(explain::Explain),
}

/// The database, for commands that only need that.
#[derive(Args)]
struct DatabaseUrl {
    /// Where the tables are, as postgres://user:password@host/database.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database_url: String,
}

impl DatabaseUrl {
    /// Connects. What the database has to say beside its answers (warnings of attach, say) goes to stderr.
    async fn connect(&self) -> Result<Client, postgres::Error> {
        let (client, mut connection) = Target::parse(&self.database_url)?.connect().await?;
        tokio::spawn(async move {
            while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
                if let AsyncMessage::Notice(notice) = message {
                    eprintln!("{}: {}", notice.severity().to_lowercase(), notice.message());
                    notice.hint().inspect(|hint| eprintln!("hint: {hint}"));
                }
            }
        });
        Ok(client)
    }
}

/// Prints the answer of a command. Who has heard enough of it (`| head`) has closed the pipe, which is no failure.
fn answer(text: &str) -> io::Result<()> {
    match writeln!(io::stdout(), "{text}") {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome,
    }
}

impl Cli {
    /// Runs the command. A failure is for the caller to tell; the code is for what succeeded in finding something wrong.
    ///
    /// # Errors
    /// With what to tell the user.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Serve(serve) => serve.run().await,
            Command::Demo(demo) => demo.run().await,
            Command::Migrate(migrate) => migrate.run().await,
            Command::Attach(attach) => attach.run().await,
            Command::Detach(detach) => detach.run().await,
            Command::Tables(tables) => tables.run().await,
            Command::Token(token) => token.run(),
            Command::Doctor(doctor) => return doctor.run().await,
            Command::Explain(explain) => return explain.run().await,
        }?;
        Ok(ExitCode::SUCCESS)
    }
}

/// A token that is cancelled by Ctrl-C and SIGTERM. Who is in a hurry sends another one.
fn shutdown_signal() -> anyhow::Result<CancellationToken> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    let mut interrupt = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())?;
    let shutdown = CancellationToken::new();
    let cancel = shutdown.clone();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if cancel.is_cancelled() {
                eprintln!("rowcast: stopped at once");
                std::process::exit(1);
            }
            cancel.cancel();
        }
    });
    Ok(shutdown)
}
