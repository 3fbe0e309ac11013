//! The only place that knows SQL. Every statement is a file in `sql/queries`.

pub mod access;
pub mod attachments;
mod decode;
pub mod listener;
mod migrate;
pub mod outbox;
mod pool;

pub use migrate::{Migrated, migrate};
pub use pool::{Connection, Database, connection_config};

/// What can go wrong between us and the database.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The connection string is not one.
    #[error("DATABASE_URL is not a Postgres connection string: {0}")]
    Url(#[source] tokio_postgres::Error),
    /// No connection could be had in time.
    #[error("no connection to the database: {0}")]
    Pool(String),
    /// The database does not say what its texts are.
    #[error(
        "the database has the encoding SQL_ASCII, in which any bytes pass as text; rowcast needs one whose texts can be sent as UTF-8: \
         dump the database and restore it into one made with ENCODING 'UTF8'"
    )]
    Encoding,
    /// A statement failed, or the connection did.
    #[error("the database refused or failed: {}", reason(.0))]
    Statement(#[from] tokio_postgres::Error),
    /// A migration could not be applied.
    #[error("migration failed")]
    Migration(#[from] refinery::Error),
    /// A file of `sql/functions` could not be applied.
    #[error("applying sql/functions/{file} failed: {}", reason(.source))]
    Functions {
        /// The file's name.
        file: String,
        /// Why.
        source: tokio_postgres::Error,
    },
}

/// The server's own words, with its hint: tokio-postgres' `Display` says only "db error".
fn reason(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(db) => match db.hint() {
            Some(hint) => format!("{} ({hint})", db.message()),
            None => db.message().to_owned(),
        },
        None => error.to_string(),
    }
}
