//! Work that one server does at a time. When that one dies, another takes over: at once after a shutdown, within 15 s and an interval after a crash.
//!
//! Who has a duty is a row in the database (`sql/functions/88_take_duty.sql`), not a session lock: it holds through poolers, and can be looked at.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::time::{Interval, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use crate::postgres::{self, Connection, Database, duties};

/// What there is to do.
pub trait Work: Send {
    /// Does it once, over this connection.
    ///
    /// # Errors
    /// When the database fails.
    fn turn(&mut self, connection: Connection) -> impl Future<Output = Result<(), postgres::Error>> + Send;
}

/// One kind of work, on this server.
#[derive(Clone)]
pub struct Duty {
    /// What it is called in `rowcast.duties`.
    pub name: &'static str,
    /// This server, as it is called in `rowcast.servers`.
    pub server: Box<str>,
    database: Database,
    /// Whether it was this server's when that was asked last.
    is_ours: Arc<AtomicBool>,
}

impl Duty {
    /// A duty that this server may come to have.
    #[must_use]
    pub fn new(name: &'static str, server: &str, database: Database) -> Self {
        Self { name, server: server.into(), database, is_ours: Arc::default() }
    }

    /// A connection to do the work over, if it is for this server to do.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn take(&self) -> Result<Option<Connection>, postgres::Error> {
        let connection = self.database.connection().await?;
        let ours = duties::take(&connection, self.name, &self.server).await?;
        match (self.is_ours.swap(ours, Ordering::Relaxed), ours) {
            (false, true) => info!(duty = self.name, "this server does it from now on"),
            (true, false) => info!(duty = self.name, "another server does it from now on"),
            _ => {}
        }
        Ok(ours.then_some(connection))
    }

    /// Does the work every `interval` until `shutdown`, when it is for this server to do. What goes wrong is tried again at the next turn.
    pub async fn perform(&self, interval: Duration, shutdown: CancellationToken, mut work: impl Work) {
        let mut failing = false;
        let mut turns = turns(interval);
        while shutdown.run_until_cancelled(turns.tick()).await.is_some() {
            let turn = async {
                match self.take().await? {
                    Some(connection) => work.turn(connection).await,
                    None => Ok(()),
                }
            };
            let Some(outcome) = shutdown.run_until_cancelled(turn).await else { return };
            match outcome {
                Ok(()) => failing = false,
                Err(error) if std::mem::replace(&mut failing, true) => {
                    debug!(%error, duty = self.name, "still not done");
                }
                Err(error) => warn!(%error, duty = self.name, "not done; trying again at every turn"),
            }
        }
    }
}

/// The first at once, the others at fixed times after it: work that takes long neither puts off all that come later, nor do they queue up behind it.
fn turns(interval: Duration) -> Interval {
    let mut turns = tokio::time::interval(interval);
    turns.set_missed_tick_behavior(MissedTickBehavior::Skip);
    turns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn turns_do_not_drift_and_do_not_pile_up() {
        let start = tokio::time::Instant::now();
        let mut turns = turns(Duration::from_secs(10));
        let mut begun = Vec::new();
        // Work that takes a while, and once more than two intervals.
        for takes in [3, 9, 25, 3, 3] {
            turns.tick().await;
            begun.push(start.elapsed().as_secs());
            tokio::time::sleep(Duration::from_secs(takes)).await;
        }
        // One of the two that were missed is made up for, and then they are where they would have been.
        assert_eq!(begun, [0, 10, 20, 45, 50]);
    }
}
