//! What others tell of the app's errors, into `rowcast.errors`.

use super::{Connection, Error};

/// What became of what was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is in the table.
    Recorded,
    /// It had been told before, word for word.
    Repeated,
    /// It is of an issue that we do not have, and of which nothing has been seen for long.
    Outdated,
}

/// Takes in one report, an object with the columns of `rowcast.errors`, under the digest of what it came in.
///
/// # Errors
/// When the database fails.
pub async fn record(connection: &Connection, digest: &[u8], report: &str) -> Result<Outcome, Error> {
    let row = connection.query_one(include_str!("../../sql/queries/record_error.sql"), &[&digest, &report]).await?;
    Ok(match row.try_get("outcome")? {
        "recorded" => Outcome::Recorded,
        "repeated" => Outcome::Repeated,
        _ => Outcome::Outdated,
    })
}
