//! The health of the database, as a client meets it, and of the platform's parts, as it is written down.

use std::{io, time::Duration};

use jiff::Timestamp;
use serde::Serialize;
use tokio_postgres::{Client, error::SqlState};
use tokio_util::task::AbortOnDropHandle;

use super::{Connection, Database, Error};
use crate::payload::{HealthComponent, HealthStatus};

/// How long a session may take to say goodbye.
const FAREWELL: Duration = Duration::from_secs(1);

/// What is written down of a figure; the columns of `rowcast.health_checks`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the columns have comments")]
pub struct Report {
    pub component: HealthComponent,
    pub metric: &'static str,
    pub status: HealthStatus,
    pub value: f64,
    pub unit: &'static str,
    pub threshold: f64,
    pub message: String,
    pub recommendation: Option<&'static str>,
    pub since: Timestamp,
    pub checked_at: Timestamp,
}

/// What was written down of a figure last.
#[derive(Clone, Debug)]
pub struct Latest {
    /// The figure.
    pub metric: String,
    /// Its state.
    pub status: HealthStatus,
    /// Since when it is in that state.
    pub since: Timestamp,
    /// When that was written down last.
    pub checked_at: Timestamp,
}

/// Reads what was written down last of each figure of a component.
///
/// # Errors
/// When the database fails.
pub async fn read(connection: &Connection, component: HealthComponent) -> Result<Vec<Latest>, Error> {
    let name = serde_json::to_value(component).unwrap_or_default();
    let statement = include_str!("../../sql/queries/read_health.sql");
    let rows = connection.query(statement, &[&name.as_str()]).await?;
    let mut latest = Vec::with_capacity(rows.len());
    for row in rows {
        // The table allows no other states than these.
        let Ok(status) = serde_json::from_value(row.try_get::<_, String>("status")?.into()) else { continue };
        let (metric, since, checked_at) = (row.try_get("metric")?, row.try_get("since")?, row.try_get("checked_at")?);
        latest.push(Latest { metric, status, since, checked_at });
    }
    Ok(latest)
}

/// Writes reports down, in their order, if that duty is still this server's; whether it was.
///
/// # Errors
/// When the database fails. They may be written all the same: to write them again changes nothing.
pub async fn record(connection: &Connection, duty: &str, server: &str, reports: &[Report]) -> Result<bool, Error> {
    let reports = serde_json::to_string(reports).unwrap_or_default();
    let statement = include_str!("../../sql/queries/record_health.sql");
    let row = connection.query_one(statement, &[&duty, &server, &reports]).await?;
    Ok(row.try_get("recorded")?)
}

/// What a database tells about itself. None: there is nothing to measure, or this role may not see it.
#[derive(Clone, Copy, Debug)]
pub struct Figures {
    /// Whether this role sees what others do.
    pub sees_all: bool,
    /// How far the standby is behind that is furthest, in seconds; on a standby: itself.
    pub replication_lag: Option<f64>,
    /// Percent of the connections that there may be.
    pub connections: Option<f64>,
    /// How long the longest open transaction has been open, in seconds.
    pub longest_transaction: Option<f64>,
}

/// A connection of its own, as a client makes it.
pub struct Session {
    client: Client,
    driver: AbortOnDropHandle<()>,
}

impl Session {
    /// Connects.
    ///
    /// # Errors
    /// When the database does not let us in.
    pub async fn open(database: &Database) -> Result<Self, Error> {
        let (client, connection) = database.target().connect().await?;
        let driver = AbortOnDropHandle::new(tokio::spawn(async move { drop(connection.await) }));
        Ok(Self { client, driver })
    }

    /// Asks something that takes no time unless something is wrong.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn ask(&self) -> Result<(), Error> {
        self.client.query_typed(include_str!("../../sql/queries/probe_database.sql"), &[]).await?;
        Ok(())
    }

    /// Reads what the database tells about itself.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn measure(&self) -> Result<Figures, Error> {
        let rows = self.client.query_typed(include_str!("../../sql/queries/measure_database.sql"), &[]).await?;
        let row = rows.first().ok_or(Error::NoRow)?;
        Ok(Figures {
            sees_all: row.try_get("sees_all")?,
            replication_lag: row.try_get("replication_lag_seconds")?,
            connections: row.try_get("connections_percent")?,
            longest_transaction: row.try_get("longest_transaction_seconds")?,
        })
    }

    /// Says goodbye.
    pub async fn close(self) {
        let Self { client, driver } = self;
        drop(client);
        // Whoever does not hear it finds out that the connection is closed.
        let _ = tokio::time::timeout(FAREWELL, driver).await;
    }
}

/// Runs somebody else's query, which may only look, for as long as `patience`. How many rows it returned, and how long it took.
///
/// # Errors
/// When the query or the database fails.
pub async fn search(connection: &mut Connection, patience: Duration, sql: &str) -> Result<(u64, Duration), Error> {
    let settings = include_str!("../../sql/queries/prepare_probe.sql");
    let settings = settings.replace("{milliseconds}", &patience.as_millis().max(1).to_string());
    // A little longer, so that Postgres can say that it was too slow.
    connection.time_within(patience + Duration::from_millis(500), &settings, sql).await
}

/// What is wrong, without a word of what was asked or answered: either may hold what is nobody's business.
#[must_use]
pub fn plain_reason(error: &Error) -> String {
    let Error::Statement(error) = error else {
        return match error {
            Error::Silent(_) => "no answer in time",
            Error::Pool(_) => "no connection could be had",
            Error::Closed => "the connection was closed",
            _ => "the database cannot be reached",
        }
        .to_owned();
    };
    match error.code() {
        Some(&(SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION)) => {
            "the credentials were refused".to_owned()
        }
        Some(code) if *code == SqlState::QUERY_CANCELED => "no answer in time".to_owned(),
        Some(code) => format!("Postgres refused with SQLSTATE {}", code.code()),
        None if is_refusal(error) => "the connection was refused".to_owned(),
        None if error.is_closed() => "the connection was closed".to_owned(),
        None => "the database cannot be reached".to_owned(),
    }
}

/// Whether nobody listens.
fn is_refusal(error: &tokio_postgres::Error) -> bool {
    let cause = std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<io::Error>());
    cause.is_some_and(|cause| matches!(cause.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound))
}
