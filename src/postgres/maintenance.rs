//! Keeping house; the work is done by functions in the database, so that cron can call them too.

use std::time::Duration;

use super::{Connection, Error};

/// A little more than `prepare_maintenance.sql` lets it take.
const PATIENCE: Duration = Duration::from_mins(11);

/// What a run of `rowcast.maintain()` did, or put off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// See `docs/retention.md`.
    pub action: String,
    /// The table concerned.
    pub partition: String,
    /// In words.
    pub detail: String,
}

/// Something that an attachment's table has made necessary.
#[derive(Debug)]
pub struct Refreshed {
    /// The attached table.
    pub source: String,
    /// The statement that was run, or a remark.
    pub outcome: String,
}

/// Runs `rowcast.maintain()` once. Cancelled when dropped, which undoes what it was doing.
///
/// # Errors
/// When the database fails, or the role may not.
pub async fn maintain(connection: &mut Connection, retention: Option<&str>) -> Result<Vec<Step>, Error> {
    let settings = include_str!("../../sql/queries/prepare_maintenance.sql");
    let maintain = include_str!("../../sql/queries/maintain.sql");
    let rows = connection.query_within(PATIENCE, settings, maintain, &[&retention]).await?;
    rows.iter()
        .map(|row| {
            Ok(Step {
                action: row.try_get("action")?,
                partition: row.try_get("partition")?,
                detail: row.try_get("detail")?,
            })
        })
        .collect()
}

/// How long ago the outbox was maintained last, by whomever; none: never.
///
/// # Errors
/// When the database fails.
pub async fn read_age(connection: &Connection) -> Result<Option<Duration>, Error> {
    let row = connection.query_one(include_str!("../../sql/queries/read_maintenance_age.sql"), &[]).await?;
    let milliseconds: Option<i64> = row.try_get("milliseconds")?;
    Ok(milliseconds.map(|milliseconds| Duration::from_millis(u64::try_from(milliseconds).unwrap_or(0))))
}

/// Gives new partitions of attached tables their triggers, where this role may; see `sql/functions/63_refresh_attachments.sql`.
///
/// # Errors
/// When the database fails, or a table is in use.
pub async fn refresh_attachments(connection: &mut Connection) -> Result<Vec<Refreshed>, Error> {
    let may = connection.query_one(include_str!("../../sql/queries/may_refresh_attachments.sql"), &[]).await?;
    if !may.try_get::<_, bool>("may")? {
        return Ok(Vec::new());
    }
    let settings = include_str!("../../sql/queries/prepare_refresh.sql");
    let refresh = include_str!("../../sql/queries/refresh_attachments.sql");
    let rows = connection.query_within(PATIENCE, settings, refresh, &[]).await?;
    rows.iter().map(|row| Ok(Refreshed { source: row.try_get("source")?, outcome: row.try_get("outcome")? })).collect()
}
