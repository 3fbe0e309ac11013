//! Who is connected where, and what servers ask each other about it: `sql/functions/80` to `84`.

use std::{collections::HashMap, time::Duration};

use serde::Serialize;

use super::{Connection, Error};
use crate::command::{Answer, Ask};

/// A stream, as the database knows it.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// Its name.
    pub id: Box<str>,
    /// Whose it is.
    pub user_id: Box<str>,
    /// Whose events are sent; none: those of all.
    pub organizations: Option<Vec<Box<str>>>,
    /// The types that are sent.
    pub event_types: Vec<Box<str>>,
    /// Whether the client takes what is sent.
    pub active: bool,
}

/// How many streams a user may have, on all servers together.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Open at a time.
    pub per_user: u32,
    /// Opened in a minute.
    pub per_minute: u32,
}

/// Why a stream was not entered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Refused {
    /// The user has as many as they may.
    TooMany(Duration),
    /// The user has opened too many lately.
    TooFast(Duration),
}

/// Enters streams of this server, after deleting those that have gone. Returns which were refused, and why.
///
/// # Errors
/// When the database fails.
pub async fn enter(
    connection: &Connection,
    server: &str,
    gone: &[Box<str>],
    entering: &[&Row],
    limits: Limits,
) -> Result<HashMap<Box<str>, Refused>, Error> {
    let statement = include_str!("../../sql/queries/enter_connections.sql");
    let (entering, per_user, per_minute) = (json(&entering), number(limits.per_user), number(limits.per_minute));
    let rows = connection.query(statement, &[&server, &Some(gone), &entering, &per_user, &per_minute]).await?;
    rows.iter()
        .map(|row| {
            let retry_after = seconds(row.try_get("retry_after")?);
            let refused = match row.try_get::<_, &str>("refusal")? {
                "rate" => Refused::TooFast(retry_after),
                _ => Refused::TooMany(retry_after),
            };
            Ok((row.try_get("id")?, refused))
        })
        .collect()
}

/// Says that the server is there, what it has counted, and how those of its streams are that have changed. Whether it was known.
///
/// # Errors
/// When the database fails.
pub async fn keep_server(
    connection: &Connection,
    server: &str,
    uptime: Duration,
    figures: &str,
    changed: &[Row],
) -> Result<bool, Error> {
    let statement = include_str!("../../sql/queries/keep_server.sql");
    let (uptime, changed) = (i64::try_from(uptime.as_secs()).unwrap_or(i64::MAX), json(&changed));
    let row = connection.query_one(statement, &[&server, &uptime, &figures, &changed]).await?;
    Ok(row.try_get("known")?)
}

/// Deletes the server and its streams.
///
/// # Errors
/// When the database fails.
pub async fn forget_server(connection: &Connection, server: &str) -> Result<(), Error> {
    connection.execute(include_str!("../../sql/queries/forget_server.sql"), &[&server]).await
}

/// Whether the user may do this kind of thing once more; if not, when to ask again.
///
/// # Errors
/// When the database fails.
pub async fn take_turn(
    connection: &Connection,
    user_id: &str,
    kind: &str,
    per_minute: u32,
) -> Result<Option<Duration>, Error> {
    let statement = include_str!("../../sql/queries/take_turn.sql");
    let row = connection.query_one(statement, &[&user_id, &kind, &number(per_minute)]).await?;
    let wait = seconds(row.try_get("retry_after")?);
    Ok((!wait.is_zero()).then_some(wait))
}

/// Whose stream that is, if it is open anywhere.
///
/// # Errors
/// When the database fails.
pub async fn find(connection: &Connection, id: &str) -> Result<Option<Box<str>>, Error> {
    let rows = connection.query(include_str!("../../sql/queries/find_connection.sql"), &[&id]).await?;
    rows.first().map(|row| row.try_get("user_id")).transpose().map_err(Error::from)
}

/// Asks something of a stream, wherever it is.
///
/// # Errors
/// When the database fails.
pub async fn ask(connection: &Connection, request: &str, id: &str, ask: &Ask) -> Result<(), Error> {
    let statement = include_str!("../../sql/queries/ask_connection.sql");
    connection.execute(statement, &[&request, &id, &json(ask)]).await
}

/// Answers a request.
///
/// # Errors
/// When the database fails.
pub async fn answer(connection: &Connection, request: &str, answer: &Answer) -> Result<(), Error> {
    connection.execute(include_str!("../../sql/queries/answer_request.sql"), &[&request, &json(answer)]).await
}

/// Who is connected, on all servers: on streams that send events of these organizations, or of any. As JSON, with how long the server that tells it has been running.
///
/// # Errors
/// When the database fails.
pub async fn read_statistics(
    connection: &Connection,
    organizations: Option<&[Box<str>]>,
    uptime: Duration,
) -> Result<String, Error> {
    let statement = include_str!("../../sql/queries/read_statistics.sql");
    let uptime = i64::try_from(uptime.as_secs()).unwrap_or(i64::MAX);
    let row = connection.query_one(statement, &[&organizations, &uptime]).await?;
    Ok(super::decode::json_text(&row, "statistics")?.unwrap_or_default().into())
}

pub(super) fn json(value: &impl Serialize) -> String {
    // Only maps with keys that are not strings can fail.
    serde_json::to_string(value).unwrap_or_default()
}

fn number(limit: u32) -> i32 {
    i32::try_from(limit).unwrap_or(i32::MAX)
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}
