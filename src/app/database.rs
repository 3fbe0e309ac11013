//! What is done to a database before anything is served from it, over a connection of its own.

use tokio_postgres::Client;
use tracing::info;

use crate::postgres::{self, Target, mend_sequence, migrate};

/// Brings the database at `url` up to date.
///
/// # Errors
/// When it cannot be reached, or [`migrate`] fails.
pub async fn migrate_at(url: &str) -> Result<postgres::Migrated, postgres::Error> {
    let migrated = with_client(url, async |client, target| migrate(client, target).await).await;
    if let Ok(migrated) = &migrated
        && migrated.functions
    {
        info!(migrations = ?migrated.migrations, "the database was brought up to date");
    }
    migrated
}

/// Moves the sequence of outbox ids in the database at `url` past the rows that are there. Returns the id it was moved to, if that was necessary.
///
/// # Errors
/// When the database cannot be reached, or [`mend_sequence`] fails.
pub async fn mend_sequence_at(url: &str) -> Result<Option<i64>, postgres::Error> {
    with_client(url, async |client, _| mend_sequence(client).await).await
}

/// Over a connection of its own, which has ended when this returns.
async fn with_client<T>(
    url: &str,
    task: impl AsyncFnOnce(&mut Client, &Target) -> Result<T, postgres::Error>,
) -> Result<T, postgres::Error> {
    let target = Target::parse(url)?;
    let (mut client, connection) = target.connect().await?;
    let driver = tokio::spawn(connection);
    let outcome = task(&mut client, &target).await;
    drop(client);
    // The connection ends because its client did; how it ended is of no interest any more.
    let _ = driver.await;
    outcome
}
