//! The only place that knows SQL. Every statement is a file in `sql/queries`.

pub mod access;
pub mod activity;
pub mod alerts;
pub mod attachments;
mod connection;
pub mod connections;
mod decode;
pub mod doctor;
pub mod duties;
pub mod epochs;
pub mod errors;
pub mod explain;
pub mod health;
pub mod listener;
mod loader;
pub mod maintenance;
pub mod measuring;
mod migrate;
pub mod outbox;
mod parameter;
mod pool;
pub mod pooler;
pub mod presets;
pub mod target;
pub mod tickets;

use std::time::Duration;

pub use connection::{Connection, Rows};
pub use loader::{Failed, Loader};
pub use migrate::{Migrated, mend_sequence, migrate};
pub use parameter::Parameter;
pub use pool::Database;
pub use target::Target;

/// What can go wrong between us and the database.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The connection string cannot be used.
    #[error(transparent)]
    Target(#[from] target::Error),
    /// A migration is needed, and the role may not do it.
    #[error(
        "this role may not use rowcast in this database, or not bring it up to date: {0}\n\
         hint: run `rowcast migrate` as the role that owns the schema rowcast (or will), then GRANT rowcast_server to the role of this DATABASE_URL"
    )]
    Rights(String),
    /// No connection could be had in time.
    #[error("no connection to the database: {0}")]
    Pool(String),
    /// It was asked something, and says nothing.
    #[error("the database has not answered for {} s", .0.as_secs())]
    Silent(Duration),
    /// Postgres ended the connection in order.
    #[error("the database closed the connection")]
    Closed,
    /// A statement that always has a row had none.
    #[error("a row that rowcast relies on is missing: has one of its tables been emptied?")]
    NoRow,
    /// Something needs a session of its own, and there is none to be had.
    #[error(
        "this database has to be migrated, which takes a session of its own, and DATABASE_URL leads through a pooler in transaction mode: \
         give a direct connection in ROWCAST_NOTIFY_DATABASE_URL, or run `rowcast migrate` with a direct DATABASE_URL"
    )]
    Pooled,
    /// The database does not say what its texts are.
    #[error(
        "the database has the encoding SQL_ASCII, in which any bytes pass as text; rowcast needs one whose texts can be sent as UTF-8: \
         dump the database and restore it into one made with ENCODING 'UTF8'"
    )]
    Encoding,
    /// A restore has set the sequence of ids back: the next writes would fail, or be taken for what they are not.
    #[error(
        "the sequence of outbox ids stands at {drawn}, but the outbox has rows up to {highest}, as after a restore of data alone;          run `rowcast migrate`, or: SELECT setval('rowcast.outbox_id_seq', {highest})"
    )]
    SequenceBehind {
        /// The last id that the sequence says it gave out.
        drawn: i64,
        /// The highest id in the outbox.
        highest: i64,
    },
    /// The database has begun another life since we looked.
    #[error("the database has been replaced, by a failover or a restore")]
    Replaced,
    /// A statement failed, or the connection did.
    #[error("the database refused or failed: {}", reason(.0))]
    Statement(tokio_postgres::Error),
    /// A migration could not be applied.
    #[error("migration failed")]
    Migration(#[from] refinery::Error),
    /// A file of `sql/functions` or `sql/presets` could not be applied.
    #[error("applying sql/{file} failed: {}", reason(.cause))]
    Functions {
        /// The file's path in `sql`.
        file: String,
        /// Why.
        cause: tokio_postgres::Error,
    },
}

impl From<tokio_postgres::Error> for Error {
    /// Not its `source`: what it has to say is in our own message, and would be said twice.
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Statement(error)
    }
}

/// The server's own words with its hint, or why there was no server: tokio-postgres' `Display` says only "db error" or "error connecting to server".
/// And what to do, where it is known.
fn reason(error: &tokio_postgres::Error) -> String {
    if let Some(db) = error.as_db_error() {
        return match db.hint().or_else(|| target::hint(error)) {
            Some(hint) => format!("{}\nhint: {hint}", db.message()),
            None => db.message().to_owned(),
        };
    }
    let mut reason = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        let text = error.to_string();
        if !reason.contains(&text) {
            reason = format!("{reason}: {text}");
        }
        cause = error.source();
    }
    match target::hint(error) {
        Some(hint) => format!("{reason}\nhint: {hint}"),
        None => reason,
    }
}
