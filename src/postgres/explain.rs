//! Why a user gets an event, or does not.

use tokio_postgres::Client;

use super::{Connection, Error, decode};

/// Whom and what it is about.
#[derive(Debug)]
pub struct Question {
    /// The user, as in the token's `sub`.
    pub user_id: String,
    /// The outbox id.
    pub event_id: i64,
    /// Event types that a client would ask for; none means all, or those of the streams that are open.
    pub subscriptions: Option<Vec<String>>,
    /// The organization that a client would ask for; none means all, or those of the streams that are open.
    pub organization: Option<String>,
}

/// What one rule says: a row of `rowcast.explain`.
#[derive(Debug, PartialEq, Eq)]
pub struct Step {
    /// The rule, by its name in docs/access.md.
    pub rule: String,
    /// Whether it lets the event pass; none where it only tells something.
    pub passes: Option<bool>,
    /// For people.
    pub detail: String,
}

impl Question {
    /// The rules in their order; the last is the verdict.
    ///
    /// # Errors
    /// When the database refuses: its message says what to do.
    pub async fn ask(&self, client: &Client) -> Result<Vec<Step>, Error> {
        let statement = include_str!("../../sql/queries/explain.sql");
        let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 4] =
            [&self.user_id, &self.event_id, &self.subscriptions, &self.organization];
        let rows = client.query(statement, &parameters).await?;
        let step = |row: &tokio_postgres::Row| {
            Ok(Step { rule: row.try_get("rule")?, passes: row.try_get("passes")?, detail: row.try_get("detail")? })
        };
        rows.iter().map(step).collect()
    }
}

/// Why a user sees an event, as JSON for them; none if they may not see it, or there is none.
///
/// # Errors
/// When the database fails.
pub async fn to_user(connection: &Connection, user_id: &str, event_id: i64) -> Result<Option<Box<str>>, Error> {
    let statement = include_str!("../../sql/queries/explain_to_user.sql");
    let rows = connection.query(statement, &[&user_id, &event_id]).await?;
    Ok(rows.first().map_or(Ok(None), |row| decode::json_text(row, "explanation"))?)
}
