//! The figures of chatbots, computed from the app's messages by functions in the database, so that cron can call them too.

use std::time::Duration;

use super::{Connection, Error};

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Rows were written.
    Measured(Measured),
    /// `rowcast.use_messages` has not been called, or what it named has been dropped.
    Unset,
    /// Somebody else was measuring at that moment: cron, or a DBA.
    Busy,
    /// Another server has the duty by now.
    Lost,
}

/// What was measured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Measured {
    /// How many chatbots have figures.
    pub chatbots: i64,
    /// The messages in the window.
    pub messages: i64,
    /// Those besides that could not be counted: without a chatbot, an organization or a session, or in a role that is none.
    pub left_out: i64,
    /// Models whose tokens had no price.
    pub unpriced_models: Vec<String>,
}

/// Runs `rowcast.measure()` once, as this server, over a window of this length that ends now. Cancelled when dropped, which undoes it.
///
/// # Errors
/// When the database fails, or it takes longer than a statement may.
pub async fn measure(connection: &Connection, window: Duration, server: &str) -> Result<Outcome, Error> {
    let milliseconds = i64::try_from(window.as_millis()).unwrap_or(i64::MAX);
    let row = connection.query_one(include_str!("../../sql/queries/measure.sql"), &[&milliseconds, &server]).await?;
    Ok(match row.try_get("outcome")? {
        "unset" => Outcome::Unset,
        "busy" => Outcome::Busy,
        "lost" => Outcome::Lost,
        _ => Outcome::Measured(Measured {
            chatbots: row.try_get("chatbots")?,
            messages: row.try_get("messages")?,
            left_out: row.try_get("left_out")?,
            unpriced_models: row.try_get("unpriced_models")?,
        }),
    })
}
