//! Alerts; the work is done by a function in the database, so that cron can call it too.

use super::{Connection, Error};

/// Judges what has come since the last time by the rules that there are. Returns whether there is more to read.
///
/// # Errors
/// When the database fails.
pub async fn evaluate(connection: &Connection) -> Result<bool, Error> {
    let row = connection.query_one(include_str!("../../sql/queries/evaluate_alerts.sql"), &[]).await?;
    Ok(row.try_get("more")?)
}
