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

use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use crate::postgres::{self, Connection, Database, duties};

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

    /// Does the work again and again until `shutdown`, when it is for this server to do. What goes wrong is tried again at the next turn.
    pub async fn perform(
        &self,
        interval: Duration,
        shutdown: CancellationToken,
        mut work: impl AsyncFnMut(Connection) -> Result<(), postgres::Error>,
    ) {
        let mut failing = false;
        loop {
            let turn = async {
                match self.take().await? {
                    Some(connection) => work(connection).await,
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
            if shutdown.run_until_cancelled(tokio::time::sleep(interval)).await.is_none() {
                return;
            }
        }
    }
}
