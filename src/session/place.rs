//! Where a client is: at a position in the log, or on the way there through the outbox. Pure: the splice of the two is tried under any schedule in the tests.
//!
//! Who turns to the outbox notes where the log is at that moment, and reads what the client lacks of *that*: not what the outbox has by then. What commits
//! meanwhile belongs to the log, wherever its id is, so it is left to the log; and what the client has seen afterwards is what the log had then, gaps and all.
//! An id says nothing about either.

use std::sync::Arc;

use super::seen::Seen;
use crate::{
    cursor::{Cursor, IdRange},
    log::{Entry, Interest, Log, Position, Read},
};

/// A client's place.
#[derive(Clone)]
pub(super) struct Place {
    position: Position,
    /// What the client has seen when it has been told everything that was read.
    seen: Seen,
    replay: Option<Replay>,
}

/// Reading the outbox, up to where the log was when that began.
#[derive(Clone)]
struct Replay {
    until: Arc<Cursor>,
    position: Position,
    /// Ids up to here have been read.
    done: i64,
}

impl Place {
    /// The end of the log: what is appended from now on is read.
    pub(super) fn at_head(log: &Log) -> Self {
        let (head, position) = log.head();
        Self { position, seen: Seen { log: head, ahead: None }, replay: None }
    }

    /// Where a client goes on that has seen `cursor`.
    pub(super) fn after(log: &Log, cursor: Cursor) -> Self {
        if let Some(position) = log.position_after(&cursor) {
            Self { position, seen: Seen { log: Arc::default(), ahead: Some(cursor) }, replay: None }
        } else {
            let mut place = Self { position: 0, seen: Seen { log: Arc::new(cursor), ahead: None }, replay: None };
            place.turn_to_outbox(log);
            place
        }
    }

    /// What the client has seen when it has been told everything that was read.
    pub(super) fn cursor(&self) -> Arc<Cursor> {
        self.seen.cursor()
    }

    /// Whether the next to be read is a page of the outbox.
    pub(super) fn is_in_outbox(&self) -> bool {
        self.replay.is_some()
    }

    /// Its position, for a client that has seen what the log had there and nothing else: what comes next for it is what comes next for others.
    pub(super) fn in_log(&self) -> Option<Position> {
        (self.replay.is_none() && self.seen.ahead.is_none()).then_some(self.position)
    }

    /// The log has been read up to here.
    pub(super) fn log_read(&mut self, position: Position, cursor: Arc<Cursor>) {
        self.position = position;
        self.seen.log_reached(cursor);
    }

    /// The next entries in the log that are filed under `interest` and that the client has not had elsewhere, and whether there are no more; none when they have left the log, and the outbox is next.
    pub(super) fn read_log(
        &mut self,
        log: &Log,
        interest: &Interest,
        max_bytes: usize,
    ) -> Option<(Vec<Arc<Entry>>, bool)> {
        let Read::Entries { mut entries, cursor, position, at_end } = log.read(self.position, interest, max_bytes)
        else {
            self.turn_to_outbox(log);
            return None;
        };
        // Before it is noted that the log has been read that far, which ends what is ahead of it.
        entries.retain(|entry| !self.seen.is_ahead_by(entry.event.id));
        self.log_read(position, cursor);
        Some((entries, at_end))
    }

    fn turn_to_outbox(&mut self, log: &Log) {
        let (until, position) = log.head();
        let seen = self.seen.cursor();
        self.replay = Some(Replay { until, position, done: seen.floor() });
        self.seen = Seen { log: seen, ahead: None };
    }

    /// The ids that the next page of the outbox has to look for, ascending.
    pub(super) fn outbox_ranges(&self) -> Vec<IdRange> {
        let Some(Replay { until, done, .. }) = &self.replay else { return Vec::new() };
        self.seen
            .log
            .missing_up_to(until.high())
            .map(|(first, last)| (first.max(done + 1), last))
            .filter(|&(first, last)| first <= last)
            .collect()
    }

    /// Whether a row that was found there is sent now; what the log had not seen is sent when it comes up in the log.
    pub(super) fn is_of_outbox(&self, id: i64) -> bool {
        self.replay.as_ref().is_some_and(|replay| replay.until.contains(id))
    }

    /// A page has been read: through this id, or to the end. Whether there is more.
    pub(super) fn page_read(&mut self, through: Option<i64>) -> bool {
        let Some(replay) = &mut self.replay else { return false };
        let high = replay.until.high();
        if let Some(through) = through.filter(|&through| through < high) {
            replay.done = through;
            self.seen.log = Arc::new(self.seen.log.union(&replay.until.truncated(through)));
            return true;
        }
        // The client may come from a server that was ahead of this one.
        let ahead = Some(Arc::unwrap_or_clone(std::mem::take(&mut self.seen.log)));
        self.seen = Seen { log: Arc::default(), ahead };
        self.seen.log_reached(Arc::clone(&replay.until));
        self.position = replay.position;
        self.replay = None;
        false
    }
}

#[cfg(test)]
mod tests;
