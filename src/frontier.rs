//! Which outbox ids have been seen, which may still come, and which never will. Pure: the tailer tells it what it read.
//!
//! Ids are drawn before commit. When id 12 is visible and 11 is not, 11 belongs to a transaction that is still open, or that rolled back. It cannot belong to
//! one that has yet to begin: ids are handed out in order. From that follows how a gap is decided:
//!
//! 1. A writer takes its transaction id, then the writer mark (a lock), and only then draws outbox ids.
//! 2. So whoever drew an id of the gap holds a transaction id below any that we take *after* we saw the gap: its bound.
//! 3. When no transaction below the bound holds the mark any more, or none below it runs at all, whoever drew the ids has ended. Locks go after
//!    visibility, so a read that begins *after* that finds the rows if there are any.
//! 4. What that last read does not find was rolled back: the gap is dead.
//!
//! Nothing is ever given up by time.

use std::collections::BTreeSet;

use crate::cursor::{Cursor, IdRange};

/// A gap wider than this is looked into only when a transaction that may own it has ended: its ids may all be there,
/// invisible, and Postgres would walk over every one of them at each step.
const WIDE: i64 = 1_000;

/// The transactions that may still write outbox rows, at one moment.
#[derive(Debug)]
pub struct Writers {
    /// Newer than every transaction that had begun to write before this was asked; only when it was asked for.
    pub bound: Option<u64>,
    /// Their ids; none for those that could not be identified.
    pub running: Vec<Option<u64>>,
}

/// A run of ids below the highest one seen that have not been seen.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Gap {
    first: i64,
    last: i64,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Seen in this step; most are filled by the next.
    New,
    /// Being looked into in this step, for the first time.
    Reading,
    /// Looked into in vain. Its owners are not known yet.
    Missed,
    /// Its owners are writers below this transaction id.
    Open { bound: u64, stirred: bool },
    /// All who may own it had ended: the next read decides.
    Ended,
    /// All who may own it had ended before the read of this step.
    Deciding,
}

impl Gap {
    /// Too wide to be looked into before one of its owners has ended.
    fn is_asleep(&self) -> bool {
        matches!(self.state, State::Open { stirred: false, .. }) && self.last - self.first >= WIDE
    }
}

/// What is known of every id up to the highest one seen.
#[derive(Clone, Debug)]
pub struct Frontier {
    high: i64,
    /// Ids up to here were decided before we began.
    decided: i64,
    gaps: Vec<Gap>,
    writers: BTreeSet<u64>,
    /// Whether one of the writers could not be identified.
    unidentified: bool,
}

impl Frontier {
    /// Begins to read above `high`, where every id up to `decided` is known to be visible or rolled back.
    #[must_use]
    pub fn new(high: i64, decided: i64) -> Self {
        Self { high, decided, gaps: Vec::new(), writers: BTreeSet::new(), unidentified: false }
    }

    /// The highest id seen.
    #[must_use]
    pub fn high(&self) -> i64 {
        self.high
    }

    /// Every id up to here is decided.
    #[must_use]
    pub fn settled(&self) -> i64 {
        self.gaps.first().map_or(self.high.max(self.decided), |gap| gap.first - 1)
    }

    /// How many runs of ids are missing.
    #[must_use]
    pub fn gaps(&self) -> usize {
        self.gaps.len()
    }

    /// The cursor of a client that has been sent all that was seen.
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        Cursor::with_gaps(self.high, self.gaps.iter().map(|gap| (gap.first, gap.last)))
    }

    /// Takes note of a row. False if it was seen before.
    pub fn see(&mut self, id: i64) -> bool {
        if id > self.high {
            let first = self.high.max(self.decided) + 1;
            if first < id {
                self.gaps.push(Gap { first, last: id - 1, state: State::New });
            }
            self.high = id;
            return true;
        }
        let at = self.gaps.partition_point(|gap| gap.last < id);
        let Some(gap) = self.gaps.get_mut(at).filter(|gap| gap.first <= id) else { return false };
        let above = Gap { first: id + 1, ..gap.clone() };
        gap.last = id - 1;
        if gap.first > gap.last {
            self.gaps.remove(at);
        }
        if above.first <= above.last {
            let at = self.gaps.partition_point(|gap| gap.last < id);
            self.gaps.insert(at, above);
        }
        true
    }

    /// The gaps that the next step has to look into. It begins the step.
    pub fn due(&mut self) -> Vec<IdRange> {
        let mut due = Vec::new();
        for gap in &mut self.gaps {
            if self.unidentified || !gap.is_asleep() {
                due.push((gap.first, gap.last));
                gap.state = match gap.state {
                    State::New => State::Reading,
                    State::Ended => State::Deciding,
                    other => other,
                };
            }
        }
        due
    }

    /// The gaps that are not due, and the writers that may own them. If one of these has ended in the snapshot of the step, the
    /// step has to look into the gaps too: what was written on top of their rows is visible in it, and must not come first.
    #[must_use]
    pub fn asleep(&self) -> (Vec<IdRange>, Vec<u64>) {
        if self.unidentified {
            return (Vec::new(), Vec::new());
        }
        let gaps: Vec<_> = self.gaps.iter().filter(|gap| gap.is_asleep()).map(|gap| (gap.first, gap.last)).collect();
        let writers = if gaps.is_empty() { Vec::new() } else { self.writers.iter().copied().collect() };
        (gaps, writers)
    }

    /// Ends a step that read everything there was: what it looked for in vain is now known a little better.
    /// In its snapshot every transaction below `oldest_running` had ended.
    pub fn conclude(&mut self, oldest_running: u64) {
        self.gaps.retain_mut(|gap| {
            match gap.state {
                State::Deciding => return false,
                State::Reading => gap.state = State::Missed,
                State::Open { bound, .. } if bound <= oldest_running => gap.state = State::Ended,
                State::Open { bound, .. } => gap.state = State::Open { bound, stirred: false },
                State::New | State::Missed | State::Ended => {}
            }
            true
        });
    }

    /// Whether some gap's owners are not known yet, so that [`Writers::bound`] is needed.
    #[must_use]
    pub fn needs_bound(&self) -> bool {
        self.gaps.iter().any(|gap| gap.state == State::Missed)
    }

    /// Whether it would help to know who is writing.
    #[must_use]
    pub fn wants_writers(&self) -> bool {
        self.gaps.iter().any(|gap| matches!(gap.state, State::Missed | State::Open { .. }))
    }

    /// How urgent it is to take the next step because of gaps.
    #[must_use]
    pub fn urgency(&self) -> Urgency {
        self.gaps
            .iter()
            .map(|gap| if matches!(gap.state, State::Open { .. }) { Urgency::Waiting } else { Urgency::Soon })
            .max()
            .unwrap_or(Urgency::None)
    }

    /// Takes note of who is writing. Asked for after the gaps were seen, so whoever is not among them has ended.
    pub fn note_writers(&mut self, writers: &Writers) {
        let unidentified = writers.running.contains(&None);
        let running: BTreeSet<u64> = writers.running.iter().flatten().copied().collect();
        let ended: Vec<u64> = self.writers.difference(&running).copied().collect();
        for gap in &mut self.gaps {
            if let (State::Missed, Some(bound)) = (gap.state, writers.bound) {
                gap.state = State::Open { bound, stirred: true };
            }
            if let State::Open { bound, stirred } = gap.state {
                let all_ended = !unidentified && running.range(..bound).next().is_none();
                let one_ended = ended.iter().any(|&xid| xid < bound);
                gap.state = if all_ended { State::Ended } else { State::Open { bound, stirred: stirred || one_ended } };
            }
        }
        self.writers = running;
        self.unidentified = unidentified;
    }
}

/// How urgent the next step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// Nothing is missing.
    None,
    /// Gaps belong to open transactions. Their commit rings; their rollback does not.
    Waiting,
    /// Gaps may be filled or decided at any moment.
    Soon,
}

#[cfg(test)]
mod tests;
