//! Which outbox ids have been seen, which may still come, and which never will. Pure: the tailer tells it what it read.
//!
//! Ids are drawn before commit. When id 12 is visible and 11 is not, 11 belongs to a transaction that is still open, or that rolled back. It cannot belong to
//! one that has yet to begin: ids are handed out in order. From that follows how a gap is decided:
//!
//! 1. A writer takes its transaction id, then a window (a lock that says which ids it may own), and only then draws outbox ids. One that it draws outside of its
//!    windows it leaves to nobody. It keeps its windows until it ends, or goes back to a savepoint, which takes the rows of the window along.
//! 2. So whoever may own an id of the gap holds a transaction id below any that we take *after* we saw the gap, its bound, and a window with that id.
//! 3. When no transaction below the bound has such a window any more, or none below it runs at all, whoever drew the id has ended. Locks go after
//!    visibility, so a read that begins *after* that finds the row if there is one.
//! 4. What that last read does not find was rolled back: the gap, or that part of it, is dead.
//!
//! Nothing is ever given up by time.
//!
//! A gap whose possible owners are known is not looked into before one of them has ended: there may be thousands of gaps, and a gap of a million ids
//! may be full of rows that are there and invisible, every one of which Postgres would walk over. The end of an owner is noticed by the snapshot of the very step
//! that could read what was written on top of its rows (see [`Frontier::wake`]).

mod writers;

use std::collections::BTreeMap;

pub use self::writers::{Writer, Writers};
use self::writers::{meet, split};
use crate::cursor::{Cursor, IdRange, merge_nearest};

/// What is undecided is told in at most this many ranges, so that it stays a small value in a row that is stored every second.
const MAX_UNDECIDED: usize = 1_000;

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
    /// Its owners are writers below this transaction id whose windows meet it. It sleeps until one of them has `ended`.
    Open { bound: u64, ended: bool },
    /// All who may own it had ended: the next read decides.
    Ended,
    /// All who may own it had ended before the read of this step.
    Deciding,
}

impl Gap {
    fn ids(&self) -> IdRange {
        (self.first, self.last)
    }
}

/// What is known of every id.
#[derive(Clone, Debug)]
pub struct Frontier {
    high: i64,
    /// What is undecided up to `high`: ascending, disjoint.
    gaps: Vec<Gap>,
    /// What is undecided above `high`: ascending, disjoint, the last without end. More than one range only while what others have decided is read again.
    ahead: Vec<IdRange>,
    /// The windows of the writers that were running when it was last asked.
    writers: BTreeMap<u64, Vec<IdRange>>,
    /// Whether one of the writers could not be identified.
    unidentified: bool,
}

impl Frontier {
    /// Begins to read above `high`, and in what is `undecided` below it: ascending, disjoint ranges, the last without end. Every other id is known to be
    /// visible or rolled back.
    #[must_use]
    pub fn new(high: i64, undecided: &[IdRange]) -> Self {
        let below =
            undecided.iter().map(|&(first, last)| (first, last.min(high))).filter(|&(first, last)| first <= last);
        let above =
            undecided.iter().map(|&(first, last)| (first.max(high + 1), last)).filter(|&(first, last)| first <= last);
        Self {
            high,
            gaps: below.map(|(first, last)| Gap { first, last, state: State::New }).collect(),
            ahead: above.collect(),
            writers: BTreeMap::new(),
            unidentified: false,
        }
    }

    /// The highest id seen.
    #[must_use]
    pub fn high(&self) -> i64 {
        self.high
    }

    /// The ids that may still come: ascending, disjoint, the last range without end. May name a few that will not, so as not to be too many ranges.
    #[must_use]
    pub fn undecided(&self) -> Vec<IdRange> {
        let mut ranges: Vec<IdRange> = Vec::with_capacity(self.gaps.len() + 1);
        for (first, last) in self.gaps.iter().map(Gap::ids).chain(self.ahead.iter().copied()) {
            match ranges.last_mut() {
                Some(before) if before.1 + 1 >= first => before.1 = last,
                _ => ranges.push((first, last)),
            }
        }
        merge_nearest(ranges, MAX_UNDECIDED)
    }

    /// Every id up to here is decided.
    #[must_use]
    pub fn floor(&self) -> i64 {
        let undecided = self.gaps.iter().map(|gap| gap.first).chain(self.ahead.iter().map(|&(first, _)| first)).next();
        undecided.map_or(self.high, |first| first - 1)
    }

    /// Whether something up to this id has not been read and may be there, or have been.
    #[must_use]
    pub fn may_lack(&self, through: i64) -> bool {
        through > self.high.min(self.floor())
    }

    /// How many runs of ids are missing.
    #[must_use]
    pub fn gaps(&self) -> usize {
        self.gaps.len()
    }

    /// The cursor of a client that has been sent all that was seen.
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        Cursor::with_gaps(self.high, self.gaps.iter().map(Gap::ids))
    }

    /// Takes note of a row. False if it was seen before.
    pub fn see(&mut self, id: i64) -> bool {
        if id > self.high {
            let gaps = &mut self.gaps;
            self.ahead.retain_mut(|(first, last)| {
                if *first < id {
                    gaps.push(Gap { first: *first, last: (*last).min(id - 1), state: State::New });
                }
                *first = (*first).max(id + 1);
                *first <= *last
            });
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

    /// Whether nobody need look into this gap now.
    fn is_asleep(&self, gap: &Gap) -> bool {
        !self.unidentified && matches!(gap.state, State::Open { ended: false, .. })
    }

    /// The gaps that the next step has to look into. It begins the step.
    pub fn due(&mut self) -> Vec<IdRange> {
        let unidentified = self.unidentified;
        let awake =
            self.gaps.iter_mut().filter(|gap| unidentified || !matches!(gap.state, State::Open { ended: false, .. }));
        awake
            .map(|gap| {
                gap.state = match gap.state {
                    State::New => State::Reading,
                    State::Ended => State::Deciding,
                    other => other,
                };
                gap.ids()
            })
            .collect()
    }

    /// The transactions that may own the gaps that are not due.
    #[must_use]
    pub fn owners_of_sleeping(&self) -> Vec<u64> {
        let asleep = self.gaps.iter().filter(|gap| self.is_asleep(gap));
        let bound =
            asleep.map(|gap| if let State::Open { bound, .. } = gap.state { bound } else { 0 }).max().unwrap_or(0);
        self.writers.range(..bound).map(|(&xid, _)| xid).collect()
    }

    /// Some of [these](Self::owners_of_sleeping) had ended in the snapshot of a step. If that makes gaps due, nothing of the step may be used, and it has to be taken again:
    /// what was written on top of their rows is visible in it, and must not come before them.
    #[must_use]
    pub fn wake(&mut self, ended: &[u64]) -> bool {
        let mut woken = false;
        for xid in ended {
            let Some(windows) = self.writers.remove(xid) else { continue };
            for gap in &mut self.gaps {
                if let State::Open { bound, ended: ended @ false } = &mut gap.state
                    && xid < bound
                    && windows.iter().any(|&window| meet(window, (gap.first, gap.last)))
                {
                    *ended = true;
                    woken = true;
                }
            }
        }
        woken
    }

    /// Ends a step that read everything there was: what it looked for in vain is now known a little better.
    /// In its snapshot every transaction below `oldest_running` had ended.
    pub fn conclude(&mut self, oldest_running: u64) {
        self.gaps.retain_mut(|gap| {
            match gap.state {
                State::Deciding => return false,
                State::Reading => gap.state = State::Missed,
                State::Open { bound, .. } if bound <= oldest_running => gap.state = State::Ended,
                State::Open { bound, .. } => gap.state = State::Open { bound, ended: false },
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
        let running: BTreeMap<u64, Vec<IdRange>> =
            writers.running.iter().filter_map(|writer| Some((writer.xid?, writer.windows.clone()))).collect();
        let ended: Vec<u64> = self.writers.keys().copied().filter(|xid| !running.contains_key(xid)).collect();
        // No step is under way.
        let _ = self.wake(&ended);
        self.writers = running;
        self.unidentified = writers.has_unidentified();
        let mut owned: Option<(u64, Vec<IdRange>)> = None;
        for gap in std::mem::take(&mut self.gaps) {
            let (bound, ended) = match (gap.state, writers.bound) {
                (State::Missed, Some(bound)) => (bound, true),
                (State::Open { bound, ended }, _) => (bound, ended),
                _ => {
                    self.gaps.push(gap);
                    continue;
                }
            };
            let bound = self.tightened(bound);
            if owned.as_ref().is_none_or(|(below, _)| *below != bound) {
                owned = Some((bound, writers.owned_below(bound)));
            }
            let owned = owned.as_ref().map_or(&[][..], |(_, owned)| owned);
            let parts = split(gap.ids(), owned).into_iter().map(|((first, last), is_owned)| {
                let state = if is_owned { State::Open { bound, ended } } else { State::Ended };
                Gap { first, last, state }
            });
            self.gaps.extend(parts);
        }
    }

    /// The lowest bound that says the same: what has ended will not come back, so gaps of different ages mostly have the same owners.
    fn tightened(&self, bound: u64) -> u64 {
        if self.unidentified {
            return bound;
        }
        self.writers.range(..bound).next_back().map_or(0, |(xid, _)| xid + 1)
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
#[cfg(test)]
mod world;
