//! What users did with their streams: `sql/functions/68_tell_activity.sql`.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::{Connection, Error};

/// One thing that was done, as one organization is told of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Told {
    /// Its own: what is told again under the same name is not written again.
    pub id: Box<str>,
    /// When it was.
    pub at: Timestamp,
    /// `connected`, `subscribed`, `unsubscribed`; `disconnected` only as a sum: that of one stream is a [`Gone`].
    pub action: &'static str,
    /// Who is told; none: those who see what is platform-wide.
    pub organization_id: Option<Box<str>>,
    /// Who did it; none: several.
    pub user_id: Option<Box<str>>,
    /// The stream; none: those of several.
    pub session_id: Option<Box<str>>,
    /// What else there is to say, as an object.
    pub metadata: Value,
}

/// The end of a stream whose coming was told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Gone {
    /// Under what its coming was told.
    pub id: Box<str>,
    /// When it was.
    pub at: Timestamp,
    /// Why.
    pub reason: &'static str,
}

/// Writes what was done, in order, and then notes who is gone. May be called again with the same, if it is not known whether it was done.
///
/// # Errors
/// When the database fails.
pub async fn tell(connection: &Connection, server: &str, told: &[Told], gone: &[Gone]) -> Result<(), Error> {
    let statement = include_str!("../../sql/queries/tell_activity.sql");
    let (told, gone) = (super::connections::json(&told), super::connections::json(&gone));
    connection.execute(statement, &[&server, &told, &gone]).await
}

/// Tells of at most so many streams that have gone, on whichever server. How many there were.
///
/// # Errors
/// When the database fails.
pub async fn tell_departures(connection: &Connection, most: u32) -> Result<u32, Error> {
    let most = i32::try_from(most).unwrap_or(i32::MAX);
    let row = connection.query_one(include_str!("../../sql/queries/tell_departures.sql"), &[&most]).await?;
    Ok(u32::try_from(row.try_get::<_, i32>("told")?).unwrap_or(0))
}
