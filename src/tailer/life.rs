//! Where a tailer begins, and begins again: in another life of the database the log means nothing any more, and is replaced by a new one.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tracing::info;

use super::{
    Tailer,
    alertness::{Alertness, SLOW_POLL},
};
use crate::{
    epoch::Epochs,
    frontier::Frontier,
    postgres::{
        self, Connection,
        epochs::{self, Current, Memory},
        outbox::{self, Start},
    },
};

/// Ids below the highest settled one that are read at start, so that clients who come back after a restart find their place in the log.
const WARM_UP_IDS: i64 = 10_000;

/// Events that are looked for when a connection was lost: if the database has forgotten anything, then what it did last.
const WITNESSES: usize = 500;

impl Tailer {
    /// Another server may have taken the place of the one we spoke to.
    pub(super) async fn enter(&mut self, connection: &Connection) -> Result<(), postgres::Error> {
        self.access_is_stale = true;
        let epoch = self.log.epochs().current();
        let memory = Memory {
            life: self.life,
            epoch,
            rolled_back: self.log.rolled_back(),
            high: self.frontier.high(),
            latest: self.log.latest(WITNESSES),
        };
        let Current { life, epochs } = epochs::enter(connection, Some(&memory)).await?;
        let start = outbox::read_start(connection).await?;
        // It may have been restarted with two-phase commit, or the setting changed.
        let rings = postgres::listener::read_doorbell(connection).await?;
        if rings != self.rings {
            self.rings = rings;
            self.alertness = begin_alert(rings, self.poll);
        }
        if life == self.life && epochs.current() == epoch {
            // Away for longer than history is kept: sessions look for what they lack in the outbox, and find that it has expired.
            if self.frontier.may_lack(start.expired_through) {
                self.begin_log(epochs, &start);
            }
            return Ok(());
        }
        // The others may still lead to the server of before.
        self.database.forget_connections();
        info!(epoch = epochs.current(), "beginning anew in another life of the database");
        self.life = life;
        self.begin_log(epochs, &start);
        // What is known of transactions was known of others.
        self.before.snapshot = None;
        self.alertness = begin_alert(rings, self.poll);
        self.writers_asked = None;
        self.stored = start.undecided;
        Ok(())
    }

    fn begin_log(&mut self, epochs: Epochs, start: &Start) {
        let (frontier, first) = begin(start);
        let log = self.log.successor(epochs, first);
        log.append(Vec::new(), frontier.cursor());
        (self.frontier, self.log) = (frontier, Arc::new(log));
    }
}

/// Polls where nobody rings, or where it is told to.
pub(super) fn begin_alert(rings: bool, poll: Option<Duration>) -> Alertness {
    Alertness::new(poll.or((!rings).then_some(SLOW_POLL)), Instant::now())
}

/// Some way below the highest settled id, where history has not expired, and what is known of the ids there.
pub(super) fn begin(start: &Start) -> (Frontier, i64) {
    let settled = start.undecided.last().map_or(0, |&(first, _)| first - 1);
    let first = (settled - WARM_UP_IDS).max(start.expired_through);
    (Frontier::new(first, &start.undecided), first)
}
