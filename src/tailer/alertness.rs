//! Asleep, dozing off or awake: how a tailer learns that there is something to read. Pure.
//!
//! Every transaction that notifies takes a lock of the whole cluster at its commit, so under load notifications cost more than all of the capture. Hence the
//! doorbell is only rung when somebody is asleep: a sleeping server holds a shared lock, and a writer that finds the lock free skips its NOTIFY. A server
//! under load lets go of the lock and polls.
//!
//! The danger is on the way back to sleep. A writer may have found the lock free, and commit after the server has taken it and stopped polling: nobody
//! would ring. So a server that has taken the lock dozes: it goes on polling until every writer that was open at that moment has ended, and has read
//! once more. Whoever comes later finds the lock held.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use crate::{frontier::Writers, postgres::listener::Hold};

/// Under everything: even if no notification ever came, this is how late an event can be.
pub(super) const SAFETY_POLL: Duration = Duration::from_secs(1);

/// The poll of a database whose writers never ring (two-phase commit), and of a server that dozes: those it waits for ring when they are
/// new, and are few when they are old.
pub(super) const SLOW_POLL: Duration = Duration::from_millis(20);

/// The poll of a server under load: twice this is the delay it adds at worst, and reading nothing costs a fraction of a millisecond.
const QUICK_POLL: Duration = Duration::from_millis(3);

/// A server that finds nothing for this long goes to sleep.
const QUIET: Duration = Duration::from_millis(250);

/// A server that finds so many transactions within [`BUSY_WINDOW`] stays awake. How often it was rung would tell less: the busier a machine is, the more of them one look finds.
const BUSY_TRANSACTIONS: usize = 10;
const BUSY_WINDOW: Duration = Duration::from_millis(100);

/// The state, and what it takes to leave it.
#[derive(Debug)]
pub(super) struct Alertness {
    state: State,
    window: Instant,
    /// Transactions found in it.
    found: usize,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    /// Nobody rings for us. Polling at this interval.
    Unrung { poll: Duration },
    /// Polling. Found something last at this time.
    Awake { busy: Instant },
    /// Wants the lock, or has it and waits for the writers that may not have seen it.
    Dozing { owing: Option<Owing> },
    /// Whoever commits rings.
    Asleep { hold: Hold },
}

/// The writers that were open when the lock had been taken, and have not ended since.
#[derive(Debug, PartialEq, Eq)]
struct Owing {
    hold: Hold,
    writers: BTreeSet<u64>,
}

impl Alertness {
    /// Begins by going to sleep. `poll` is the interval where there is nobody to ring.
    pub(super) fn new(poll: Option<Duration>, now: Instant) -> Self {
        let state = poll.map_or(State::Dozing { owing: None }, |poll| State::Unrung { poll });
        Self { state, window: now, found: 0 }
    }

    /// Whether it should hold the lock that makes writers ring.
    pub(super) fn wants_lock(&self) -> bool {
        !matches!(self.state, State::Unrung { .. } | State::Awake { .. })
    }

    /// Whether it has to know who is writing before the next read.
    pub(super) fn wants_writers(&self) -> bool {
        matches!(self.state, State::Dozing { .. })
    }

    /// Who is writing, asked for after the lock had been taken, and before a read that ends with [`note_read`](Self::note_read).
    pub(super) fn note_writers(&mut self, writers: &Writers, hold: Option<Hold>) {
        let (State::Dozing { owing }, Some(hold)) = (&mut self.state, hold) else { return };
        if writers.has_unidentified() {
            // Who cannot be named cannot be waited for; ask again.
            return;
        }
        let running: BTreeSet<u64> = writers.xids().collect();
        let writers: BTreeSet<u64> = match owing {
            Some(owing) if owing.hold == hold => owing.writers.intersection(&running).copied().collect(),
            _ => running,
        };
        self.state = if writers.is_empty() {
            State::Asleep { hold }
        } else {
            State::Dozing { owing: Some(Owing { hold, writers }) }
        };
    }

    /// A read has ended that has found so many transactions.
    pub(super) fn note_read(&mut self, found: usize, held: Option<Hold>, now: Instant) {
        if now.duration_since(self.window) > BUSY_WINDOW {
            self.window = now;
            self.found = 0;
        }
        self.found = self.found.saturating_add(found);
        match &mut self.state {
            State::Awake { busy } if found > 0 => *busy = now,
            State::Awake { busy } if now.duration_since(*busy) > QUIET => self.state = State::Dozing { owing: None },
            State::Dozing { .. } | State::Asleep { .. } if self.found >= BUSY_TRANSACTIONS => {
                self.state = State::Awake { busy: now };
            }
            // The lock went with its connection. Writers may have found it free since, even if it is held again.
            State::Asleep { hold } if held != Some(*hold) => self.state = State::Dozing { owing: None },
            State::Unrung { .. } | State::Awake { .. } | State::Dozing { .. } | State::Asleep { .. } => {}
        }
    }

    /// What the state is called.
    pub(super) fn name(&self) -> &'static str {
        match self.state {
            State::Unrung { .. } => "unrung",
            State::Awake { .. } => "awake",
            State::Dozing { .. } => "dozing",
            State::Asleep { .. } => "asleep",
        }
    }

    /// How long to wait for the bell before the next read.
    pub(super) fn patience(&self) -> Duration {
        match self.state {
            State::Unrung { poll } => poll,
            State::Dozing { .. } => SLOW_POLL,
            State::Awake { .. } => QUICK_POLL,
            State::Asleep { .. } => SAFETY_POLL,
        }
    }
}

#[cfg(test)]
mod tests;
