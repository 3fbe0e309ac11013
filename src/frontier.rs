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
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// A writer as the trigger makes it: transaction id, mark, ids one by one, end. The id of the transaction is its own; ids of all interleave.
    #[derive(Clone, Debug, Default)]
    struct Transaction {
        ids: Vec<i64>,
        marked: bool,
    }

    /// A database in miniature. Transactions may be running and marked, and those that ended are visible or gone.
    #[derive(Default)]
    struct World {
        next_xid: u64,
        next_id: i64,
        running: BTreeMap<u64, Transaction>,
        visible: BTreeSet<i64>,
    }

    #[derive(Clone, Debug)]
    enum Move {
        Begin,
        Draw(usize),
        Commit(usize),
        Rollback(usize),
        Step {
            limit: usize,
        },
        Writers,
        /// The tailer's statement is sent, its snapshot taken, and the world goes on before its answer is handled.
        WritersThen(Vec<Move>),
    }

    fn simple_move() -> impl Strategy<Value = Move> {
        prop_oneof![
            2 => Just(Move::Begin),
            4 => (0..8_usize).prop_map(Move::Draw),
            2 => (0..8_usize).prop_map(Move::Commit),
            1 => (0..8_usize).prop_map(Move::Rollback),
        ]
    }

    fn moves() -> impl Strategy<Value = Vec<Move>> {
        let any = prop_oneof![
            6 => simple_move(),
            3 => (1..6_usize).prop_map(|limit| Move::Step { limit }),
            1 => Just(Move::Writers),
            1 => prop::collection::vec(simple_move(), 1..6).prop_map(Move::WritersThen),
        ];
        prop::collection::vec(any, 1..120)
    }

    impl World {
        fn pick(&self, n: usize) -> Option<u64> {
            self.running.keys().nth(n % self.running.len().max(1)).copied()
        }

        fn apply(&mut self, step: &Move) {
            match *step {
                Move::Begin => {
                    self.next_xid += 1;
                    self.running.insert(self.next_xid, Transaction::default());
                }
                Move::Draw(n) => {
                    if let Some(xid) = self.pick(n) {
                        self.next_id += 1;
                        let id = self.next_id;
                        let transaction = self.running.get_mut(&xid).unwrap();
                        transaction.marked = true;
                        transaction.ids.push(id);
                    }
                }
                Move::Commit(n) => {
                    if let Some(transaction) = self.pick(n).and_then(|xid| self.running.remove(&xid)) {
                        self.visible.extend(transaction.ids);
                    }
                }
                Move::Rollback(n) => {
                    self.pick(n).and_then(|xid| self.running.remove(&xid));
                }
                Move::Step { .. } | Move::Writers | Move::WritersThen(_) => unreachable!("moves of the tailer"),
            }
        }

        fn writers(&mut self, with_bound: bool) -> Writers {
            let bound = with_bound.then(|| {
                self.next_xid += 1;
                self.next_xid
            });
            Writers {
                bound,
                running: self.running.iter().filter(|(_, t)| t.marked).map(|(&xid, _)| Some(xid)).collect(),
            }
        }
    }

    fn step(world: &World, frontier: &mut Frontier, limit: usize, delivered: &mut Vec<i64>) {
        let due = frontier.due();
        let above = frontier.high();
        let in_gaps = due.iter().flat_map(|&(first, last)| world.visible.range(first..=last)).take(limit);
        let mut rows: Vec<i64> = in_gaps.copied().collect();
        if rows.len() < limit {
            rows.extend(world.visible.range(above + 1..).take(limit));
        }
        delivered.extend(rows.iter().copied().filter(|&id| frontier.see(id)));
        // Of two visible events of one row the one with the lower id is older.
        let last = rows.last().copied().unwrap_or(0);
        let sent: BTreeSet<i64> = delivered.iter().copied().collect();
        assert!(world.visible.range(..last).all(|id| sent.contains(id)), "an event came before an older one");
        if rows.len() < limit {
            frontier.conclude(world.running.keys().next().copied().unwrap_or(world.next_xid + 1));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// Whatever the schedule: no committed id is lost or doubled, none is called settled while it may still come, and when all
        /// is quiet no gap stays.
        #[test]
        fn nothing_is_lost_under_any_schedule(moves in moves()) {
            let mut world = World::default();
            let mut frontier = Frontier::new(0, 0);
            let mut delivered = Vec::new();
            for next in &moves {
                match next {
                    Move::Step { limit } => step(&world, &mut frontier, *limit, &mut delivered),
                    Move::Writers => {
                        let writers = world.writers(frontier.needs_bound());
                        frontier.note_writers(&writers);
                    }
                    Move::WritersThen(meanwhile) => {
                        let writers = world.writers(frontier.needs_bound());
                        for next in meanwhile {
                            world.apply(next);
                        }
                        frontier.note_writers(&writers);
                    }
                    other => world.apply(other),
                }
                let running: BTreeSet<i64> = world.running.values().flat_map(|t| t.ids.iter().copied()).collect();
                prop_assert!(running.iter().all(|&id| id > frontier.settled()), "an open id was called settled");
            }
            while !world.running.is_empty() {
                world.apply(&Move::Commit(0));
            }
            for _ in 0..200 {
                step(&world, &mut frontier, 5, &mut delivered);
                let writers = world.writers(frontier.needs_bound());
                frontier.note_writers(&writers);
            }
            let unique: BTreeSet<i64> = delivered.iter().copied().collect();
            prop_assert_eq!(unique.len(), delivered.len(), "an id was delivered twice");
            prop_assert_eq!(&unique, &world.visible, "an id was lost");
            prop_assert_eq!(frontier.urgency(), Urgency::None, "a gap stayed: {:?}", frontier);
            prop_assert_eq!(frontier.settled(), frontier.high());
        }
    }

    #[test]
    fn a_wide_gap_is_left_alone_until_a_writer_ends() {
        let mut frontier = Frontier::new(0, 0);
        frontier.see(1_000_001);
        assert_eq!(frontier.due(), [(1, 1_000_000)]);
        frontier.conclude(0);
        frontier.note_writers(&Writers { bound: Some(9), running: vec![Some(3), Some(4)] });
        assert_eq!(frontier.due().len(), 1, "looked into once its owners are known");
        frontier.conclude(0);
        assert!(frontier.due().is_empty());
        assert_eq!(frontier.asleep(), (vec![(1, 1_000_000)], vec![3, 4]));
        frontier.note_writers(&Writers { bound: None, running: vec![Some(4), Some(12)] });
        assert_eq!(frontier.due().len(), 1, "a possible owner has ended");
        frontier.conclude(0);
        frontier.note_writers(&Writers { bound: None, running: vec![Some(4)] });
        assert!(frontier.due().is_empty(), "12 began after the gap was seen: it cannot own it");
    }

    #[test]
    fn an_unidentified_writer_keeps_gaps_open() {
        let mut frontier = Frontier::new(0, 0);
        frontier.see(2);
        frontier.due();
        frontier.conclude(0);
        frontier.note_writers(&Writers { bound: Some(9), running: vec![None] });
        assert_eq!(frontier.urgency(), Urgency::Waiting);
    }

    #[test]
    fn ids_decided_before_the_start_are_no_gaps() {
        let mut frontier = Frontier::new(10, 20);
        assert!(frontier.see(15) && frontier.see(18) && frontier.see(23));
        assert_eq!(frontier.cursor(), Cursor::with_gaps(23, [(21, 22)]));
        assert_eq!(frontier.settled(), 20);
    }
}
