//! What a server says of itself again and again: that it is there, what it has counted, how its streams are; and what it answers to others.

use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};

use tokio::{sync::mpsc, time::timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::{
    Connection, Told,
    directory::{Change, Directory},
};
use crate::postgres::{
    self,
    connections::{self, Row},
};

/// How often a server says that it is there. It is believed for three times as long (`sql/functions/80_live_connections.sql`).
const PRESENCE: Duration = Duration::from_secs(5);

/// How long others get to end before what has ended is deleted in one go.
const GATHERING: Duration = Duration::from_millis(20);

/// How long the last word may take. If it does not get through, the others find out by themselves.
const FAREWELL: Duration = Duration::from_secs(2);

impl Directory {
    /// Says for the first time that this server is there.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn announce(&self) -> Result<(), postgres::Error> {
        self.say_it_is_there(&self.database.connection().await?).await
    }

    /// Says again and again that this server is there, at once when the database was away, and deletes what has ended, until `end`.
    pub async fn keep(self: Arc<Self>, end: CancellationToken) {
        let mut answers = self.connections.untold.lock().unwrap_or_else(PoisonError::into_inner).take();
        let answering = async {
            if let Some(answers) = &mut answers {
                self.tell_answers(answers).await;
            }
        };
        let keeping = async {
            loop {
                let presence = tokio::time::sleep(PRESENCE.mul_f64(0.9 + fastrand::f64() / 5.0));
                tokio::pin!(presence);
                loop {
                    tokio::select! {
                        () = &mut presence => break,
                        () = self.connections.perhaps_forgotten.notified() => break,
                        () = self.someone_left.notified() => {}
                    }
                    tokio::time::sleep(GATHERING).await;
                    self.write_or_leave_it(Change::Leave).await;
                }
                self.write_or_leave_it(Change::Presence).await;
            }
        };
        tokio::select! {
            () = end.cancelled() => {}
            () = keeping => {}
            () = answering => {}
        }
        let farewell = async { connections::forget_server(&self.database.connection().await?, &self.server).await };
        match timeout(FAREWELL, farewell).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => debug!(%error, "the last word did not get through"),
            Err(_) => debug!("the last word did not get through"),
        }
    }

    async fn tell_answers(&self, answers: &mut mpsc::Receiver<Told>) {
        // Ends with the server: it holds a sender itself.
        while let Some((request, answer)) = answers.recv().await {
            let told = async { connections::answer(&self.database.connection().await?, &request, &answer).await }.await;
            if let Err(error) = told {
                warn!(%error, "another server has no answer; its client will ask again");
            }
        }
    }

    pub(super) async fn say_it_is_there(&self, database: &postgres::Connection) -> Result<(), postgres::Error> {
        let figures = self.metrics.summary().to_string();
        let uptime = self.started.elapsed();
        let open = self.connections.all();
        let changed: Vec<Row> = open.iter().filter_map(|connection| self.changed_row(connection)).collect();
        let known = connections::keep_server(database, &self.server, uptime, &figures, &changed).await;
        match known {
            Ok(true) => Ok(()),
            Ok(false) => {
                let all: Vec<Row> = open.iter().map(|connection| self.row(connection)).collect();
                connections::keep_server(database, &self.server, uptime, &figures, &all).await.map(|_| ())
            }
            Err(error) => {
                for connection in &open {
                    connection.mark_changed();
                }
                Err(error)
            }
        }
    }

    /// The row of a stream, if the database has another one.
    fn changed_row(&self, connection: &Connection) -> Option<Row> {
        let row = self.row(connection);
        connection.take_changed(row.active).then_some(row)
    }
}
