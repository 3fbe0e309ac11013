//! Tickets, as the database has them: hashed, and judged by its clock.

use jiff::Timestamp;

use super::{Connection, Error};

/// Whom a ticket is for, and until when.
#[derive(Debug)]
pub struct Holder {
    /// The user.
    pub user_id: String,
    /// The end of the token that the ticket was issued for.
    pub expires_at: Timestamp,
}

/// Stores a ticket. Returns by when it has to be used for the first time.
///
/// # Errors
/// When the database fails.
pub async fn issue(
    connection: &Connection,
    hash: &[u8],
    user_id: &str,
    expires_at: Timestamp,
) -> Result<Timestamp, Error> {
    let statement = include_str!("../../sql/queries/issue_ticket.sql");
    let row = connection.query_one(statement, &[&hash, &user_id, &expires_at]).await?;
    Ok(row.try_get("first_use_before")?)
}

/// Uses a ticket, for the first time or, where its client comes back, again. Nobody, when it is not to be used so.
///
/// # Errors
/// When the database fails.
pub async fn redeem(connection: &Connection, hash: &[u8], comes_back: bool) -> Result<Option<Holder>, Error> {
    let statement = include_str!("../../sql/queries/redeem_ticket.sql");
    let row = connection.query(statement, &[&hash, &comes_back]).await?.pop();
    row.map(|row| Ok(Holder { user_id: row.try_get("user_id")?, expires_at: row.try_get("expires_at")? })).transpose()
}
