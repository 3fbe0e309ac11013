//! A log is of one life of the database: what comes after it, and what it knows when its life has ended.

use std::sync::{Arc, PoisonError};

use jiff::Timestamp;

use super::Log;
use crate::{
    cursor::{Cursor, IdRange},
    epoch::Epochs,
};

impl Log {
    /// The log to begin after a failover or a restore: empty, complete above `start`, with the same sessions waiting.
    #[must_use]
    pub fn successor(&self, epochs: Epochs, start: i64) -> Self {
        Self { waiters: Arc::clone(&self.waiters), ..Self::new(self.limit, start) }.in_the_last_of(epochs)
    }

    /// The same log, as that of the last of these lives of the database.
    #[must_use]
    pub fn in_the_last_of(mut self, epochs: Epochs) -> Self {
        let recent = self.recent.get_mut().unwrap_or_else(PoisonError::into_inner);
        let head = Cursor::clone(&recent.head);
        recent.head = Arc::new(head.in_epoch(epochs.current()));
        self.epochs = epochs;
        self
    }

    /// The lives of the database up to that of this log.
    #[must_use]
    pub fn epochs(&self) -> &Epochs {
        &self.epochs
    }

    /// The events that were appended last, at most so many: their ids, and when they were written.
    #[must_use]
    pub fn latest(&self, most: usize) -> Vec<(i64, Timestamp)> {
        let recent = self.recent.read().unwrap_or_else(PoisonError::into_inner);
        let entries = recent.batches.iter().rev().flat_map(|batch| batch.entries.iter().rev());
        entries.take(most).map(|entry| (entry.event.id, entry.event.created_at)).collect()
    }

    /// The ids of this life that are known to have been rolled back: not missing any more, and of no event.
    #[must_use]
    pub fn rolled_back(&self) -> Cursor {
        let recent = self.recent.read().unwrap_or_else(PoisonError::into_inner);
        let high = recent.head.high();
        let events =
            recent.batches.iter().flat_map(|batch| &batch.entries).map(|entry| (entry.event.id, entry.event.id));
        // Of what has left the log nothing is known.
        let unknown = Some((1, recent.complete_above)).filter(|&(first, last)| first <= last);
        let known = events.chain(recent.head.missing_up_to(high)).filter(|&(_, last)| last > recent.complete_above);
        let mut others: Vec<IdRange> = known.chain(unknown).collect();
        others.sort_unstable();
        Cursor::with_gaps(high, others)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Audience, Event};

    fn rolled_back(log: &Log) -> Vec<i64> {
        let rolled_back = log.rolled_back();
        (1..=100).filter(|&id| rolled_back.contains(id)).collect()
    }

    #[test]
    fn what_is_neither_missing_nor_an_event_was_rolled_back() {
        let log = Log::new(1 << 20, 0);
        assert_eq!(rolled_back(&log), [0; 0]);
        log.append(vec![Event::sample(2, Some("o1")), Event::sample(6, None)], Cursor::with_gaps(6, [(1, 1), (4, 5)]));
        assert_eq!(rolled_back(&log), [3]);
        let nobodys = Event { audience: Audience::Nobody, ..Event::sample(4, Some("o1")) };
        log.append(vec![nobodys, Event::sample(5, Some("o1"))], Cursor::with_gaps(6, [(1, 1)]));
        assert_eq!(rolled_back(&log), [3, 4], "what nobody may see is no loss to anybody");
        log.append(Vec::new(), Cursor::up_to(6));
        assert_eq!(rolled_back(&log), [1, 3, 4]);
    }

    #[test]
    fn of_what_has_left_the_log_or_was_never_in_it_nothing_is_known() {
        assert_eq!(rolled_back(&Log::new(1 << 20, 50)), [0; 0]);
        let log = Log::new(Event::sample(1, None).size() * 2, 50);
        for id in [51, 53, 55, 57] {
            log.append(vec![Event::sample(id, None)], Cursor::up_to(id));
        }
        assert_eq!(rolled_back(&log), [54, 56]);
        // What comes late may leave after what has a higher id.
        log.append(vec![Event::sample(60, None)], Cursor::with_gaps(60, [(52, 52)]));
        log.append(vec![Event::sample(52, None)], Cursor::up_to(60));
        assert_eq!(rolled_back(&log), [58, 59]);
    }

    #[test]
    fn the_latest_are_those_that_were_appended_last() {
        let log = Log::new(1 << 20, 0);
        log.append(vec![Event::sample(4, None), Event::sample(6, None)], Cursor::up_to(6));
        log.append(vec![Event::sample(5, None)], Cursor::up_to(6));
        let ids = |most| log.latest(most).into_iter().map(|(id, _)| id).collect::<Vec<_>>();
        assert_eq!((ids(2), ids(9)), (vec![5, 6], vec![5, 6, 4]));
    }

    #[test]
    fn a_successor_is_of_the_next_life_and_wakes_the_same_sessions() {
        let log = Log::new(1 << 20, 0);
        let subscription = log.subscribe(crate::log::Interest::Everything);
        let next = log.successor(Epochs::new(vec![Cursor::up_to(7)]), 5);
        assert_eq!(next.head().0.to_string(), "5@1");
        next.append(vec![Event::sample(8, None)], Cursor::up_to(8));
        assert_eq!(next.head().0.to_string(), "8@1");
        assert!(crate::log::tests::is_woken(&subscription));
        assert_eq!(log.head().0.to_string(), "0");
    }
}
