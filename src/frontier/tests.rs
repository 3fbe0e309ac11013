//! The frontier in a world in miniature: writers in any schedule, and a tailer that must lose nothing.

use std::collections::{BTreeMap, BTreeSet};

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
        Writers { bound, running: self.running.iter().filter(|(_, t)| t.marked).map(|(&xid, _)| Some(xid)).collect() }
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
