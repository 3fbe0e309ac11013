//! Brings a database up to date: versioned migrations for tables, then every function anew.
//!
//! Tables change by numbered migrations. Functions do not: each lives in one file of `sql/functions`, written with `CREATE OR REPLACE`, and the whole
//! folder is applied after the migrations in one transaction. The live definition of a function is therefore always the one in its file, never the
//! last of many redefinitions. The presets, which are views of nothing but constants (`sql/presets`), are applied with them, and before them: functions read them.

use std::{
    hash::{DefaultHasher, Hasher},
    time::Duration,
};

use rust_embed::RustEmbed;
use tokio_postgres::{Client, error::SqlState};

use super::{Error, Target, pooler::is_pooled};

mod embedded {
    refinery::embed_migrations!("migrations");
}

#[derive(RustEmbed)]
#[folder = "sql/presets"]
struct Presets;

#[derive(RustEmbed)]
#[folder = "sql/functions"]
struct Functions;

/// How long a server waits before it asks again whether another one has finished migrating.
const LOCK_RETRY: Duration = Duration::from_millis(50);

/// What [`migrate`] did.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Migrated {
    /// Names of the migrations applied now, in order; empty when the tables were up to date.
    pub migrations: Vec<String>,
    /// Whether the functions were replaced.
    pub functions: bool,
}

/// Applies the migrations that are missing, and the functions where they differ from ours.
///
/// Safe to call from many servers at once: they take turns. A database that a newer rowcast has migrated is left as it is, and one that is up to date needs
/// no rights beyond those of `rowcast_server`. `target` is where `client` is connected to: taking turns needs a session, which a pooler in transaction mode does not give.
///
/// # Errors
/// When there is no session to be had, the role may not create the schema, its tables or the group roles, or when a statement fails; nothing of the failed migration stays.
pub async fn migrate(client: &mut Client, target: &Target) -> Result<Migrated, Error> {
    bring_up_to_date(client, target).await.map_err(|error| refused(&error).map_or(error, Error::Rights))
}

/// What the database said, if it refused for want of rights and had no advice of its own.
fn refused(error: &Error) -> Option<String> {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = match error {
        Error::Statement(cause) | Error::Functions { cause, .. } => Some(cause),
        Error::Migration(cause) => Some(cause),
        _ => None,
    };
    while let Some(error) = cause {
        if let Some(said) = error.downcast_ref::<tokio_postgres::Error>().and_then(tokio_postgres::Error::as_db_error) {
            let refused = *said.code() == SqlState::INSUFFICIENT_PRIVILEGE && said.hint().is_none();
            return refused.then(|| said.message().to_owned());
        }
        cause = error.source();
    }
    None
}

async fn bring_up_to_date(client: &mut Client, target: &Target) -> Result<Migrated, Error> {
    if is_current(client).await? {
        return Ok(Migrated::default());
    }
    if is_pooled(target).await? {
        return Err(Error::Pooled);
    }
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

/// Moves the sequence of ids past the rows that are there, where a restore of data alone has set it back. Returns the id it was moved to, if it was.
///
/// # Errors
/// When the role does not own the sequence, or writers keep the table busy.
pub async fn mend_sequence(client: &Client) -> Result<Option<i64>, Error> {
    let row = client.query_one(include_str!("../../sql/queries/read_life.sql"), &[]).await?;
    let (drawn, highest): (i64, i64) = (row.try_get("drawn")?, row.try_get("highest")?);
    if drawn >= highest {
        return Ok(None);
    }
    client.batch_execute(include_str!("../../sql/queries/mend_sequence.sql")).await?;
    Ok(Some(highest))
}

async fn migrate_alone(client: &mut Client) -> Result<Migrated, Error> {
    client.batch_execute(include_str!("../../sql/queries/create_schema.sql")).await?;
    let mut runner = embedded::migrations::runner();
    runner.set_migration_table_name("rowcast.schema_history");
    // An older server must start beside a newer one while a deployment rolls through.
    let report = runner.set_abort_missing(false).run_async(client).await?;
    let migrations = report.applied_migrations().iter().map(|m| format!("V{}__{}", m.version(), m.name())).collect();
    // Another server may have been faster.
    let functions = !is_current(client).await?;
    if functions {
        apply_functions(client).await?;
    }
    Ok(Migrated { migrations, functions })
}

async fn apply_functions(client: &mut Client) -> Result<(), Error> {
    let transaction = client.transaction().await?;
    for (file, source) in function_files() {
        let applied = transaction.batch_execute(&String::from_utf8_lossy(&source)).await;
        applied.map_err(|cause| Error::Functions { file, cause })?;
    }
    let version = Version::ours().to_string();
    transaction.execute(include_str!("../../sql/queries/store_functions_version.sql"), &[&version]).await?;
    transaction.commit().await?;
    Ok(())
}

/// How far a database has been brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// rowcast has never been there, or not so that this role might know.
    Missing,
    /// As an older rowcast has made it, or another build of this release.
    Older,
    /// As we would make it.
    Current,
    /// As a newer rowcast has made it.
    Newer,
}

/// Whether the database is as we would make it, or newer.
async fn is_current(client: &Client) -> Result<bool, Error> {
    Ok(matches!(state(client).await?, State::Current | State::Newer))
}

/// Reads how far the database has been brought. The version is stored with the functions, after all migrations.
pub(super) async fn state(client: &Client) -> Result<State, Error> {
    // Not prepared: most often this is all that is asked for, and it has to work through any pooler.
    let row = client.query_typed_one(include_str!("../../sql/queries/has_schema.sql"), &[]).await?;
    if !row.try_get("has_schema")? {
        return Ok(State::Missing);
    }
    let row = client.query_typed_one(include_str!("../../sql/queries/read_functions_version.sql"), &[]).await?;
    let stored = row.try_get::<_, Option<String>>("version")?.and_then(|text| Version::parse(&text));
    let last = i64::from(
        embedded::migrations::runner().get_migrations().iter().map(refinery::Migration::version).max().unwrap_or(0),
    );
    let ours = Version::ours();
    Ok(match stored {
        Some(stored) if stored == ours => State::Current,
        // Builds of one release differ too, and functions of before a migration would undo what it is for.
        Some(stored) if stored.release > ours.release || row.try_get::<_, i64>("migration")? > last => State::Newer,
        _ => State::Older,
    })
}

/// What is applied after the migrations, in its order: paths in `sql`, with what they hold.
fn function_files() -> Vec<(String, Vec<u8>)> {
    fn of<Folder: RustEmbed>(folder: &str) -> Vec<(String, Vec<u8>)> {
        let mut files: Vec<_> = Folder::iter()
            .filter(|file| file.ends_with(".sql"))
            .filter_map(|file| Some((format!("{folder}/{file}"), Folder::get(&file)?.data.into_owned())))
            .collect();
        files.sort_unstable();
        files
    }
    let mut files = of::<Presets>("presets");
    files.append(&mut of::<Functions>("functions"));
    files
}

/// Which rowcast migrated: its release, and a fingerprint of the files, which change between releases too.
#[derive(Debug, PartialEq, Eq)]
struct Version {
    release: [u32; 3],
    fingerprint: String,
}

impl Version {
    fn ours() -> Self {
        let mut hasher = DefaultHasher::new();
        for migration in embedded::migrations::runner().get_migrations() {
            hasher.write_u64(migration.checksum());
        }
        for (file, source) in function_files() {
            hasher.write(file.as_bytes());
            hasher.write(&source);
        }
        let part = |text: &str| text.parse().unwrap_or(0);
        let release =
            [env!("CARGO_PKG_VERSION_MAJOR"), env!("CARGO_PKG_VERSION_MINOR"), env!("CARGO_PKG_VERSION_PATCH")];
        Self { release: release.map(part), fingerprint: format!("{:016x}", hasher.finish()) }
    }

    fn parse(text: &str) -> Option<Self> {
        let (release, fingerprint) = text.split_once(' ')?;
        let parts: Vec<u32> = release.split('.').map(|part| part.parse().ok()).collect::<Option<_>>()?;
        Some(Self { release: parts.try_into().ok()?, fingerprint: fingerprint.to_owned() })
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [major, minor, patch] = self.release;
        write!(f, "{major}.{minor}.{patch} {}", self.fingerprint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_as_it_was_written() {
        let ours = Version::ours();
        assert_eq!(Version::parse(&ours.to_string()), Some(ours));
        assert_eq!(Version::parse("1.2"), None);
        assert_eq!(Version::parse("1.x.3 abc"), None);
    }
}
