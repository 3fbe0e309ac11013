//! Attaching tables, from the command line.

use tokio_postgres::{Client, types::ToSql};

use super::Error;

/// The arguments of `rowcast.attach`; see `docs/capture.md`.
#[derive(Debug, Default)]
pub struct Attachment {
    /// The table.
    pub source: String,
    /// One of `rowcast.event_types`.
    pub event_type: String,
    /// Expression: the row's organization; none for platform-wide events.
    pub organization_id: Option<String>,
    /// Expression: the payload; none for the whole row.
    pub data: Option<String>,
    /// Columns left out of the whole row.
    pub exclude: Vec<String>,
    /// INSERT, UPDATE, DELETE; none for all.
    pub operations: Option<Vec<String>>,
    /// An UPDATE counts only when one of these changed.
    pub changed_columns: Option<Vec<String>>,
    /// Boolean expression: which rows count.
    pub filter: Option<String>,
    /// Expression: low, medium, high or critical.
    pub priority: Option<String>,
    /// Expression: the user concerned.
    pub user_id: Option<String>,
    /// Expression: the chatbot concerned.
    pub chatbot_id: Option<String>,
    /// Expression: the session concerned.
    pub session_id: Option<String>,
    /// Whether only that user (and admins) may see it.
    pub private: bool,
    /// fail or skip.
    pub on_error: Option<String>,
    /// Expression: one event for each of its values that a statement wrote; none for one for each row.
    pub group_by: Option<String>,
}

/// A row of `rowcast.attachments`.
#[derive(Debug)]
pub struct Attached {
    /// `schema.table`.
    pub source: String,
    /// One of `rowcast.event_types`.
    pub event_type: String,
    /// The expression for its organization.
    pub organization: String,
    /// The expression of which each value that a statement wrote makes one event; none where each row makes one.
    pub group_by: Option<String>,
    /// False when somebody disabled the trigger.
    pub enabled: bool,
    /// The table's owner.
    pub owner: String,
}

impl Attachment {
    fn parameters(&self) -> [&(dyn ToSql + Sync); 15] {
        [
            &self.source,
            &self.event_type,
            &self.organization_id,
            &self.data,
            &self.exclude,
            &self.operations,
            &self.changed_columns,
            &self.filter,
            &self.priority,
            &self.user_id,
            &self.chatbot_id,
            &self.session_id,
            &self.private,
            &self.on_error,
            &self.group_by,
        ]
    }

    /// Attaches the table.
    ///
    /// # Errors
    /// When the database refuses; its message says what to do.
    pub async fn attach(&self, client: &Client) -> Result<(), Error> {
        client.execute(include_str!("../../sql/queries/attach.sql"), &self.parameters()).await?;
        Ok(())
    }

    /// The SQL that [`attach`](Self::attach) would run.
    ///
    /// # Errors
    /// When the database refuses, as it would refuse to attach.
    pub async fn preview(&self, client: &Client) -> Result<String, Error> {
        let row = client.query_one(include_str!("../../sql/queries/preview.sql"), &self.parameters()).await?;
        Ok(row.try_get(0)?)
    }
}

/// Removes what attach made on a table.
///
/// # Errors
/// When the table is not there, not attached, or not the caller's.
pub async fn detach(client: &Client, source: &str) -> Result<(), Error> {
    client.execute(include_str!("../../sql/queries/detach.sql"), &[&source]).await?;
    Ok(())
}

/// The attached tables.
///
/// # Errors
/// When the database fails.
pub async fn list(client: &Client) -> Result<Vec<Attached>, Error> {
    let rows = client.query(include_str!("../../sql/queries/list_attachments.sql"), &[]).await?;
    rows.iter()
        .map(|row| {
            Ok(Attached {
                source: row.try_get("source")?,
                event_type: row.try_get("event_type")?,
                organization: row.try_get("organization")?,
                group_by: row.try_get("group_by")?,
                enabled: row.try_get("enabled")?,
                owner: row.try_get("owner")?,
            })
        })
        .collect()
}
