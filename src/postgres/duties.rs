//! Who does what only one server is to do at a time.

use super::{Connection, Error};

/// Whether this server does that work, because it has it, nobody has it, or whoever had it is gone. In the transaction that writes what the work has come to, call the SQL
/// function itself.
///
/// # Errors
/// When the database fails.
pub async fn take(connection: &Connection, duty: &str, server: &str) -> Result<bool, Error> {
    let row = connection.query_one(include_str!("../../sql/queries/take_duty.sql"), &[&duty, &server]).await?;
    Ok(row.try_get("taken")?)
}
