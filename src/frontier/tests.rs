//! The frontier in a world in miniature: writers in any schedule, and tailers that must lose nothing. And the same with one rule broken, which
//! must be found: a test that finds no planted bug says nothing about those that nobody planted.

use std::collections::BTreeSet;

use proptest::{
    prelude::*,
    test_runner::{RngAlgorithm, TestError, TestRng, TestRunner},
};

use super::{
    world::{Event, Fault, World},
    *,
};

#[derive(Clone, Debug)]
enum Move {
    Event(Event),
    Step {
        limit: usize,
    },
    Writers {
        blurred: bool,
    },
    /// As much of both as it takes to decide what can be decided.
    Round,
    /// The tailer's statement is sent, its snapshot taken, and the world goes on before its answer is handled.
    WritersThen(Vec<Event>),
    /// Tells the database what is settled.
    Store,
    /// A server that starts, from what is settled and this many ids before.
    Start {
        warm_up: i64,
    },
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        2 => Just(Event::Begin),
        8 => (0..6_usize).prop_map(Event::Act),
        1 => (0..6_usize).prop_map(Event::Savepoint),
        1 => (0..6_usize).prop_map(Event::RollbackToSavepoint),
        2 => (0..6_usize).prop_map(Event::Commit),
        1 => (0..6_usize).prop_map(Event::Rollback),
    ]
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let any = prop_oneof![
        10 => event().prop_map(Move::Event),
        5 => (2..8_usize).prop_map(|limit| Move::Step { limit }),
        2 => prop::bool::weighted(0.1).prop_map(|blurred| Move::Writers { blurred }),
        2 => Just(Move::Round),
        1 => prop::collection::vec(event(), 1..6).prop_map(Move::WritersThen),
        1 => Just(Move::Store),
        1 => (0..8_i64).prop_map(|warm_up| Move::Start { warm_up }),
    ];
    prop::collection::vec(any, 1..160)
}

/// A server: what it knows, and what it has sent.
struct Tailer {
    frontier: Frontier,
    delivered: BTreeSet<i64>,
}

impl Tailer {
    /// What is decided was delivered by others, as far as it is not read again.
    fn start(world: &World, settled: &[IdRange], warm_up: i64) -> Self {
        let high = settled.last().map_or(0, |&(first, _)| (first - 1 - warm_up).max(0));
        let undecided = |id| settled.iter().any(|&(first, last)| first <= id && id <= last);
        let delivered = world.visible.iter().copied().filter(|&id| id <= high && !undecided(id)).collect();
        Self { frontier: Frontier::new(high, settled), delivered }
    }

    fn step(&mut self, world: &World, limit: usize) -> Result<(), TestCaseError> {
        let rows = loop {
            let due = self.frontier.due();
            let ended: Vec<u64> =
                self.frontier.owners_of_sleeping().into_iter().filter(|&xid| world.has_ended(xid)).collect();
            let in_gaps = due.iter().flat_map(|&(first, last)| world.visible.range(first..=last)).take(limit);
            let mut rows: Vec<i64> = in_gaps.copied().collect();
            if rows.len() < limit {
                rows.extend(world.visible.range(self.frontier.high() + 1..).take(limit));
            }
            if !self.frontier.wake(&ended) {
                break rows;
            }
        };
        for &id in &rows {
            if self.frontier.see(id) {
                prop_assert!(self.delivered.insert(id), "{id} was delivered twice");
            }
        }
        // Of two visible events of one row the one with the lower id is older.
        let last = rows.last().copied().unwrap_or(0);
        let skipped = world.visible.range(..last).find(|id| !self.delivered.contains(id));
        prop_assert_eq!(skipped, None, "an event came before an older one");
        if rows.len() < limit {
            self.frontier.conclude(world.oldest_running());
        }
        Ok(())
    }

    fn note_writers(&mut self, writers: &Writers, fault: Fault) {
        self.frontier.note_writers(writers);
        if fault == Fault::NoLastRead {
            self.frontier.gaps.retain(|gap| gap.state != State::Ended);
        }
    }
}

fn intersection(a: &[IdRange], b: &[IdRange]) -> Vec<IdRange> {
    let pairs =
        a.iter().flat_map(|&(first, last)| b.iter().map(move |&(start, end)| (first.max(start), last.min(end))));
    pairs.filter(|(first, last)| first <= last).collect()
}

/// No committed id is lost or doubled, none is called settled while it may still come, and when all is quiet no gap stays.
fn run(fault: Fault, moves: &[Move]) -> Result<(), TestCaseError> {
    let mut world = World::new(fault);
    let mut settled = vec![(1, i64::MAX)];
    let mut tailer = Tailer::start(&world, &settled, 0);
    for next in moves {
        match next {
            Move::Event(event) => world.apply(event),
            Move::Step { limit } => tailer.step(&world, *limit)?,
            Move::Writers { blurred } => {
                let writers = world.writers(tailer.frontier.needs_bound(), *blurred);
                tailer.note_writers(&writers, fault);
            }
            Move::Round => {
                for _ in 0..2 {
                    tailer.step(&world, 100)?;
                    tailer.step(&world, 100)?;
                    let writers = world.writers(tailer.frontier.needs_bound(), false);
                    tailer.note_writers(&writers, fault);
                }
            }
            Move::WritersThen(meanwhile) => {
                let writers = world.writers(tailer.frontier.needs_bound(), false);
                for event in meanwhile {
                    world.apply(event);
                }
                tailer.note_writers(&writers, fault);
            }
            Move::Store => settled = intersection(&settled, &tailer.frontier.undecided()),
            Move::Start { warm_up } => tailer = Tailer::start(&world, &settled, *warm_up),
        }
        let undecided = tailer.frontier.undecided();
        let is_decided = |id: i64| !undecided.iter().any(|&(first, last)| first <= id && id <= last);
        prop_assert_eq!(world.undecided().find(|&id| is_decided(id)), None, "called decided while it may still come");
    }
    world.come_to_rest();
    for _ in 0..200 {
        tailer.step(&world, 5)?;
        let writers = world.writers(tailer.frontier.needs_bound(), false);
        tailer.note_writers(&writers, fault);
        if tailer.frontier.urgency() == Urgency::None && Some(&tailer.frontier.high()) >= world.visible.last() {
            break;
        }
    }
    let lost: Vec<_> = world.visible.difference(&tailer.delivered).collect();
    prop_assert!(lost.is_empty(), "lost: {lost:?}");
    prop_assert_eq!(tailer.frontier.urgency(), Urgency::None, "a gap stayed: {:?}", tailer.frontier);
    prop_assert_eq!(tailer.frontier.undecided().len(), 1);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn nothing_is_lost_under_any_schedule(moves in moves()) {
        run(Fault::None, &moves)?;
    }

    #[test]
    fn a_range_is_split_where_windows_begin_and_end(first in 0..40_i64, length in 0..20_i64, windows in prop::collection::vec((0..50_i64, 0..10_i64), 0..6)) {
        let windows: Vec<IdRange> = windows.into_iter().map(|(first, length)| (first, first + length)).collect();
        let writers = Writers { bound: None, running: vec![Writer { xid: Some(1), windows: windows.clone() }] };
        let parts = split((first, first + length), &writers.owned_below(2));
        let told: Vec<(i64, bool)> = parts.iter().flat_map(|&((a, b), owned)| (a..=b).map(move |id| (id, owned))).collect();
        let owned = |id| windows.iter().any(|&(a, b)| a <= id && id <= b);
        let expected: Vec<(i64, bool)> = (first..=first + length).map(|id| (id, owned(id))).collect();
        prop_assert_eq!(told, expected);
    }
}

/// Looks for a schedule in which a world with this fault loses something, always in the same order.
fn is_found(fault: Fault) -> bool {
    let config =
        ProptestConfig { cases: 20_000, max_shrink_iters: 0, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    match runner.run(&moves(), |moves| run(fault, &moves)) {
        Ok(()) => false,
        Err(TestError::Fail(..)) => true,
        Err(TestError::Abort(reason)) => panic!("{reason}"),
    }
}

#[test]
fn an_id_drawn_before_the_mark_is_found() {
    assert!(is_found(Fault::DrawBeforeMark));
}

#[test]
fn the_bound_of_a_snapshot_is_found() {
    assert!(is_found(Fault::BoundOfSnapshot));
}

#[test]
fn a_gap_that_is_not_read_a_last_time_is_found() {
    assert!(is_found(Fault::NoLastRead));
}

#[test]
fn a_window_that_is_locked_after_the_draw_is_found() {
    assert!(is_found(Fault::WindowAfterDraw));
}

#[test]
fn an_id_that_is_kept_beyond_the_window_is_found() {
    assert!(is_found(Fault::KeepBeyondWindow));
}

const ALL: [IdRange; 1] = [(1, i64::MAX)];

fn writer(xid: u64, windows: &[IdRange]) -> Writer {
    Writer { xid: Some(xid), windows: windows.to_vec() }
}

#[test]
fn a_gap_sleeps_until_an_owner_ends() {
    let mut frontier = Frontier::new(0, &ALL);
    frontier.see(1_000_001);
    assert_eq!(frontier.due(), [(1, 1_000_000)]);
    frontier.conclude(0);
    frontier.note_writers(&Writers { bound: Some(9), running: vec![writer(3, &ALL), writer(4, &ALL)] });
    assert_eq!(frontier.due().len(), 1, "looked into once its owners are known");
    frontier.conclude(0);
    assert!(frontier.due().is_empty());
    assert_eq!(frontier.owners_of_sleeping(), [3, 4]);
    assert!(frontier.wake(&[3]), "a possible owner has ended");
    assert_eq!(frontier.due().len(), 1);
    frontier.conclude(0);
    frontier.note_writers(&Writers { bound: None, running: vec![writer(4, &ALL), writer(12, &ALL)] });
    assert_eq!(frontier.owners_of_sleeping(), [4], "12 began after the gap was seen: it cannot own it");
}

#[test]
fn what_no_open_writer_has_a_window_for_is_decided() {
    let mut frontier = Frontier::new(0, &ALL);
    frontier.see(100);
    frontier.due();
    frontier.conclude(0);
    frontier.note_writers(&Writers { bound: Some(9), running: vec![writer(3, &[(40, 59)]), writer(10, &[(1, 99)])] });
    frontier.due();
    frontier.conclude(0);
    assert_eq!(frontier.cursor(), Cursor::with_gaps(100, [(40, 59)]));
    assert_eq!(frontier.undecided(), [(40, 59), (101, i64::MAX)]);
}

#[test]
fn an_unidentified_writer_keeps_gaps_open_and_awake() {
    let mut frontier = Frontier::new(0, &ALL);
    frontier.see(2);
    frontier.due();
    frontier.conclude(0);
    frontier.note_writers(&Writers { bound: Some(9), running: vec![Writer::of_any(None)] });
    for _ in 0..3 {
        assert_eq!(frontier.due(), [(1, 1)]);
        frontier.conclude(0);
    }
    assert_eq!(frontier.urgency(), Urgency::Waiting);
}

#[test]
fn what_was_decided_before_the_start_is_no_gap() {
    let mut frontier = Frontier::new(10, &[(4, 5), (9, 12), (21, i64::MAX)]);
    assert_eq!(frontier.due(), [(4, 5), (9, 10)]);
    assert_eq!(frontier.cursor(), Cursor::with_gaps(8, [(4, 5)]));
    assert!(frontier.see(15) && frontier.see(18) && frontier.see(23));
    assert_eq!(frontier.cursor(), Cursor::with_gaps(23, [(4, 5), (9, 12), (21, 22)]));
    assert_eq!(frontier.undecided(), [(4, 5), (9, 12), (21, 22), (24, i64::MAX)]);
}

#[test]
fn what_is_undecided_is_told_in_a_bounded_number_of_ranges() {
    let mut frontier = Frontier::new(0, &ALL);
    for id in 1..5_000 {
        frontier.see(2 * id);
    }
    let undecided = frontier.undecided();
    assert_eq!(undecided.len(), MAX_UNDECIDED);
    let is_told = |id: i64| undecided.iter().any(|&(first, last)| first <= id && id <= last);
    assert!((1..9_998).step_by(2).all(is_told));
}

/// Somebody else has decided on 7, and its row has expired since.
#[test]
fn what_expired_while_it_was_a_gap_may_be_lacking() {
    let mut frontier = Frontier::new(0, &[(1, i64::MAX)]);
    (1..=10).filter(|&id| id != 7).for_each(|id| assert!(frontier.see(id)));
    assert!(!frontier.may_lack(6));
    assert!(frontier.may_lack(7));
    assert!(frontier.may_lack(11));
    frontier.see(7);
    assert!(!frontier.may_lack(10));
    // What is known to be decided has not been read for that.
    assert!(Frontier::new(0, &[(100, i64::MAX)]).may_lack(50));
}
