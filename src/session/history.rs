//! Replay: pages of the outbox for a client whose place has left the log, up to where the log was when that began.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use tracing::warn;

use super::{Session, chunk, seen::Seen};
use crate::{
    cursor::Cursor,
    log::{Entry, Position},
    postgres::{self, outbox},
};

/// Rows of history read at once.
const PAGE_ROWS: i64 = 500;

/// How long to wait before history is asked for again when the database failed.
const HISTORY_RETRY: Duration = Duration::from_secs(1);

/// Reading the outbox, up to where the log was when that began.
pub(super) struct History {
    until: Arc<Cursor>,
    position: Position,
    /// Ids up to here have been read.
    done: i64,
}

impl Session {
    /// Turns to the outbox: what the client lacks may have left the log.
    pub(super) fn read_history(&mut self) {
        let (until, position) = self.server.log.head();
        let seen = self.seen.cursor();
        self.history = Some(History { until, position, done: seen.floor() });
        self.seen = Seen { log: seen, ahead: None };
    }

    /// The next page of the outbox, or a heartbeat where it holds nothing for this client; none when history is done.
    pub(super) async fn next_page(&mut self) -> Option<Bytes> {
        let History { until, position, done } = self.history.as_ref()?;
        let (until, position, done) = (Arc::clone(until), *position, *done);
        let events = match self.read_page(&until, done).await {
            Ok(events) => events,
            Err(error) => {
                warn!(%error, "history could not be read; trying again");
                tokio::time::sleep(HISTORY_RETRY.mul_f64(0.5 + fastrand::f64())).await;
                return None;
            }
        };
        let full = events.len() >= usize::try_from(PAGE_ROWS).unwrap_or(usize::MAX);
        let done = events.last().filter(|_| full).map_or(until.high(), |last| last.event.id);
        let events: Vec<_> = events.into_iter().filter(|entry| until.contains(entry.event.id)).collect();
        let frames = self.frames(&events);
        if full {
            self.seen.log = Arc::new(self.seen.log.union(&until.truncated(done)));
            self.history = Some(History { until, position, done });
        } else {
            // The client may come from a server that was ahead of this one.
            let ahead = Some(Arc::unwrap_or_clone(std::mem::take(&mut self.seen.log)));
            self.seen = Seen { log: Arc::default(), ahead };
            self.seen.log_reached(until);
            self.position = position;
            self.history = None;
        }
        match (frames.is_empty(), full) {
            (false, _) => Some(chunk(&frames, &self.seen.cursor())),
            (true, true) => Some(self.heartbeat()),
            (true, false) => None,
        }
    }

    async fn read_page(&self, until: &Cursor, done: i64) -> Result<Vec<Arc<Entry>>, postgres::Error> {
        let seen = &self.seen.log;
        let ranges: Vec<_> = seen
            .missing_up_to(until.high())
            .map(|(first, last)| (first.max(done + 1), last))
            .filter(|&(first, last)| first <= last)
            .collect();
        let connection = self.server.database.connection().await?;
        let organizations = self.subscription.interest().organizations();
        let events = outbox::read_ranges(&connection, &ranges, organizations, PAGE_ROWS).await?;
        drop(connection);
        // The page may be newer than the tailer's last step, so the grants it is judged by must be newer than the page.
        if !events.is_empty() {
            self.server.access.refresh(&self.viewer).await?;
        }
        Ok(events.into_iter().map(|event| Arc::new(Entry::new(event))).collect())
    }
}
