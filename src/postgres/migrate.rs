//! Brings a database up to date: versioned migrations for tables, then every function anew.
//!
//! Tables change by numbered migrations. Functions do not: each lives in one file of `sql/functions`, written with
//! `CREATE OR REPLACE`, and the whole folder is applied after the migrations in one transaction. The live definition of a function is
//! therefore always the one in its file, never the last of many redefinitions.

use std::time::Duration;

use rust_embed::RustEmbed;
use tokio_postgres::Client;

use super::Error;

mod embedded {
    refinery::embed_migrations!("migrations");
}

#[derive(RustEmbed)]
#[folder = "sql/functions"]
struct Functions;

/// How long a server waits before it asks again whether another one has finished migrating.
const LOCK_RETRY: Duration = Duration::from_millis(50);

/// What [`migrate`] did.
#[derive(Debug)]
pub struct Migrated {
    /// Names of the migrations applied now, in order; empty when the tables were up to date.
    pub applied: Vec<String>,
}

/// Applies the migrations that are missing, then all functions.
///
/// Safe to call from many servers at once: they take turns. A database that a newer rowcast has migrated is left as it is.
///
/// # Errors
/// When the role may not create the schema, its tables or the group roles, or when a statement fails; nothing of the
/// failed migration stays.
pub async fn migrate(client: &mut Client) -> Result<Migrated, Error> {
    while !client.query_one(include_str!("../../sql/queries/try_migration_lock.sql"), &[]).await?.get::<_, bool>(0) {
        tokio::time::sleep(LOCK_RETRY).await;
    }
    let outcome = migrate_alone(client).await;
    // A failure to unlock matters less than why the migration failed, and a closed session has let go anyway.
    let unlocked = client.query_one(include_str!("../../sql/queries/release_migration_lock.sql"), &[]).await;
    let migrated = outcome?;
    unlocked?;
    Ok(migrated)
}

async fn migrate_alone(client: &mut Client) -> Result<Migrated, Error> {
    client.batch_execute(include_str!("../../sql/queries/create_schema.sql")).await?;
    let mut runner = embedded::migrations::runner();
    runner.set_migration_table_name("rowcast.schema_history");
    // An older server must start beside a newer one while a deployment rolls through.
    let report = runner.set_abort_missing(false).run_async(client).await?;
    let applied = report.applied_migrations().iter().map(|m| format!("V{}__{}", m.version(), m.name())).collect();
    apply_functions(client).await?;
    Ok(Migrated { applied })
}

async fn apply_functions(client: &mut Client) -> Result<(), Error> {
    let mut files: Vec<_> = Functions::iter().filter(|file| file.ends_with(".sql")).collect();
    files.sort_unstable();
    let transaction = client.transaction().await?;
    for file in files {
        let Some(source) = Functions::get(&file) else { continue };
        let statements = String::from_utf8_lossy(&source.data);
        transaction
            .batch_execute(&statements)
            .await
            .map_err(|source| Error::Functions { file: file.into_owned(), source })?;
    }
    transaction.commit().await?;
    Ok(())
}
