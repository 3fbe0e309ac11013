//! The database, as a client meets it that comes for the first time.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use tokio::time::timeout;
use tracing::{debug, info};

use super::{
    Measured,
    figure::{Figure, Reading},
    milliseconds,
};
use crate::{
    payload::HealthComponent,
    postgres::{
        self, Database,
        health::{Session, plain_reason},
    },
};

/// From where on the database is no longer healthy.
#[derive(Clone, Copy, Debug)]
pub struct Thresholds {
    /// For connecting, and for a query.
    pub answer: Duration,
    /// How far a standby may be behind.
    pub replication_lag: Duration,
    /// Percent of `max_connections`.
    pub connections: f64,
    /// How long a transaction may be open.
    pub longest_transaction: Duration,
}

/// Measures it.
pub struct Probe {
    database: Database,
    connect: Figure,
    query: Figure,
    replication_lag: Figure,
    connections: Figure,
    longest_transaction: Figure,
    /// After which nobody waits any more.
    patience: Duration,
    /// Whether it was told what this role may not see.
    told: AtomicBool,
}

impl Probe {
    /// One that gives up after `patience`.
    #[must_use]
    pub fn new(database: Database, thresholds: Thresholds, patience: Duration) -> Self {
        let figure = |metric, unit, threshold, says, fails, advice| Figure {
            component: HealthComponent::Database,
            metric,
            unit,
            threshold,
            says,
            fails,
            advice,
        };
        let unmeasured = "It could not be measured";
        Self {
            database,
            connect: figure(
                "connect_ms",
                "ms",
                milliseconds(thresholds.answer),
                "A new connection took {}",
                "No connection to the database",
                "See whether Postgres runs and can be reached, and whether it has connections left.",
            ),
            query: figure(
                "query_ms",
                "ms",
                milliseconds(thresholds.answer),
                "A small query took {}",
                "No answer from the database",
                "Look for load and locks: SELECT * FROM pg_stat_activity WHERE state <> 'idle'.",
            ),
            replication_lag: figure(
                "replication_lag_seconds",
                "s",
                thresholds.replication_lag.as_secs_f64(),
                "The standby that is furthest behind is {} late",
                unmeasured,
                "Look at pg_stat_replication, at the network to the standby, and at long queries there.",
            ),
            connections: figure(
                "connections_percent",
                "%",
                thresholds.connections,
                "Connections in use: {} of max_connections",
                unmeasured,
                "Close connections that nobody uses, put a pooler in front, or raise max_connections.",
            ),
            longest_transaction: figure(
                "longest_transaction_seconds",
                "s",
                thresholds.longest_transaction.as_secs_f64(),
                "The longest open transaction is {} old",
                unmeasured,
                "Find it in pg_stat_activity by xact_start, and end it: it keeps VACUUM from removing old rows.",
            ),
            patience,
            told: AtomicBool::new(false),
        }
    }

    /// Everything that it may measure.
    #[must_use]
    pub fn figures(&self) -> Vec<Figure> {
        vec![self.connect, self.query, self.replication_lag, self.connections, self.longest_transaction]
    }

    /// Measures: what cannot be seen is left out.
    pub async fn measure(&self) -> Vec<Measured> {
        let started = Instant::now();
        let session = match self.wait(Session::open(&self.database), started).await {
            Ok(session) => session,
            Err(failed) => return vec![(self.connect, failed.clone()), (self.query, failed)],
        };
        let mut measured = vec![(self.connect, Reading::Value(milliseconds(started.elapsed())))];
        let started = Instant::now();
        if let Err(failed) = self.wait(session.ask(), started).await {
            measured.push((self.query, failed));
        } else {
            measured.push((self.query, Reading::Value(milliseconds(started.elapsed()))));
            measured.extend(self.read(&session).await);
        }
        session.close().await;
        measured
    }

    async fn read(&self, session: &Session) -> Vec<Measured> {
        let figures = match timeout(self.patience, session.measure()).await {
            Ok(Ok(figures)) => figures,
            Ok(Err(error)) => {
                debug!(reason = plain_reason(&error), "the figures of the database cannot be read");
                return Vec::new();
            }
            Err(_) => return Vec::new(),
        };
        if !figures.sees_all && !self.told.swap(true, Ordering::Relaxed) {
            info!(
                "replication lag and long transactions are left out of the health of the database: this role may not see them; GRANT pg_read_all_stats to it"
            );
        }
        let values = [
            (self.replication_lag, figures.replication_lag),
            (self.connections, figures.connections),
            (self.longest_transaction, figures.longest_transaction),
        ];
        values.into_iter().filter_map(|(figure, value)| Some((figure, Reading::Value(value?)))).collect()
    }

    async fn wait<T>(
        &self,
        asked: impl Future<Output = Result<T, postgres::Error>>,
        started: Instant,
    ) -> Result<T, Reading> {
        let why = match timeout(self.patience, asked).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => plain_reason(&error),
            Err(_) => format!("no answer within {} s", self.patience.as_secs_f64()),
        };
        Err(Reading::Failed { after: milliseconds(started.elapsed()), why })
    }
}
