//! The example: a chatbot management app, simulated.
//!
//! The simulated app is what rowcast is for: it writes rows into tables of its own (`sql/chatbot/schema.sql`) and knows
//! nothing of rowcast, of its schema or of events. Two scripts do all from outside: `sql/chatbot/attach.sql` attaches it, and
//! `sql/chatbot/producers.sql` has its messages measured and its figures watched.
//!
//! # Layout
//! - [`simulation`]: an agenda of what happens next, and the step that makes it happen; no clock
//! - `trace`, `corpus`, `directory`: when visitors come, what is said, who there is
//! - `model`: what the chatbots ask, and how long it takes
//! - `conversations`, `documents`, `operations`: what happens, each kind of thing in its file

mod conversations;
mod corpus;
mod directory;
mod documents;
mod log;
mod model;
mod operations;
pub mod simulation;
mod trace;

use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;

use crate::postgres::{Target, target};
pub use model::Model;
use simulation::Simulation;

/// A search among the app's passages, for whoever watches how long it takes.
pub const SEARCH: &str = include_str!("../../sql/chatbot/queries/search_chunks.sql");

/// What can go wrong in the demo.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The connection string cannot be used.
    #[error(transparent)]
    Target(#[from] target::Error),
    /// The database refused a statement, or the connection was lost.
    #[error("the demo's database refused or failed")]
    Database(#[from] tokio_postgres::Error),
    /// The database serves somebody else.
    #[error(
        "this database has memberships or attached tables of its own, and the demo would replace who may see what: give it an empty database"
    )]
    Occupied,
    /// The demo's tables hold no chatbot or no product, so there is nothing to simulate.
    #[error("the chatbot schema has no {0}: its seed is missing")]
    Unseeded(&'static str),
    /// The embedded trace has a line that is not a request.
    #[error("line {line} of the conversation trace is not `time,context tokens,generated tokens`")]
    Trace {
        /// Counted from one, the heading included.
        line: usize,
    },
    /// The embedded corpus is not what the code expects.
    #[error("the corpus of the demo cannot be read")]
    Corpus(#[from] serde_json::Error),
}

/// How the app is simulated.
#[derive(Clone, Debug)]
pub struct Options {
    /// How fast the app's time passes: 1 is the pace of the recorded trace.
    pub speed: f64,
    /// The same seed gives the same visitors, documents and mishaps in the same order.
    pub seed: u64,
    /// What its chatbots ask.
    pub model: Model,
}

impl Default for Options {
    /// Half the trace's pace: two or three requests a second and about ten events, lively and yet readable.
    fn default() -> Self {
        Self { speed: 0.5, seed: 1, model: Model::default() }
    }
}

/// Makes the example app in a database that has been migrated: schema, seed, and attachment.
///
/// Does nothing where the app is there already, so that a demo database keeps what was changed in it.
///
/// # Errors
/// When the database serves somebody else, or the role may not create schemas or attach tables; nothing stays of what was begun.
pub async fn install(client: &mut Client) -> Result<(), Error> {
    let transaction = client.transaction().await?;
    let installed = transaction.query_one(include_str!("../../sql/chatbot/queries/is_installed.sql"), &[]).await?;
    if !installed.get::<_, bool>(0) {
        let somebodys = transaction.query_one(include_str!("../../sql/chatbot/queries/is_somebodys.sql"), &[]).await?;
        if somebodys.get(0) {
            return Err(Error::Occupied);
        }
        transaction.batch_execute(include_str!("../../sql/chatbot/schema.sql")).await?;
        transaction.batch_execute(include_str!("../../sql/chatbot/seed.sql")).await?;
        transaction.batch_execute(include_str!("../../sql/chatbot/attach.sql")).await?;
    }
    // One that an older rowcast made has not been told where its messages are.
    let measured = transaction.query_one(include_str!("../../sql/chatbot/queries/is_measured.sql"), &[]).await?;
    if !measured.get::<_, bool>(0) {
        transaction.batch_execute(include_str!("../../sql/chatbot/producers.sql")).await?;
    }
    transaction.commit().await?;
    Ok(())
}

/// Runs the simulated app until `shutdown`.
///
/// # Errors
/// When the database cannot be reached, is lost, or refuses a statement.
pub async fn run(database_url: &str, options: Options, shutdown: CancellationToken) -> Result<(), Error> {
    let (client, connection) = Target::parse(database_url)?.named("rowcast demo").connect().await?;
    // The connection ends when the client is dropped; what goes wrong on it, the client's next call reports.
    let connection = tokio::spawn(connection);
    let outcome = shutdown.run_until_cancelled(play(&client, options)).await;
    drop(client);
    connection.await.ok();
    outcome.unwrap_or(Ok(()))
}

/// Gives the simulation its clock.
async fn play(client: &Client, options: Options) -> Result<(), Error> {
    let mut simulation = Simulation::new(client, options.seed, options.model).await?;
    let started = Instant::now();
    loop {
        sleep_until(started + real_time(simulation.due(), options.speed)).await;
        simulation.step(client).await?;
    }
}

/// At speed zero nothing ever happens; a deadline needs a number all the same.
const NEVER: Duration = Duration::from_hours(24 * 365);

fn real_time(simulated: Duration, speed: f64) -> Duration {
    Duration::try_from_secs_f64(simulated.as_secs_f64() / speed).unwrap_or(NEVER).min(NEVER)
}
