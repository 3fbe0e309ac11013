//! The only place that knows SQL. Every statement is a file in `sql/queries`.

pub mod access;
pub mod attachments;
mod decode;
pub mod epochs;
pub mod listener;
pub mod maintenance;
mod migrate;
pub mod outbox;
mod pool;

pub use migrate::{Migrated, mend_sequence, migrate};
pub use pool::{Connection, Database, connection_config};

/// What can go wrong between us and the database.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The connection string is not one.
    #[error("DATABASE_URL is not a Postgres connection string: {}", reason(.0))]
    Url(tokio_postgres::Error),
    /// No connection could be had in time.
    #[error("no connection to the database: {0}")]
    Pool(String),
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
    /// A file of `sql/functions` could not be applied.
    #[error("applying sql/functions/{file} failed: {}", reason(.cause))]
    Functions {
        /// The file's name.
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
fn reason(error: &tokio_postgres::Error) -> String {
    if let Some(db) = error.as_db_error() {
        return match db.hint() {
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
    reason
}
