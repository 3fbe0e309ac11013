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
const SLOW_POLL: Duration = Duration::from_millis(20);

/// The poll of a server under load: twice this is the delay it adds at worst, and reading nothing costs a fraction of a millisecond.
const QUICK_POLL: Duration = Duration::from_millis(3);

/// A server that finds nothing for this long goes to sleep.
const QUIET: Duration = Duration::from_millis(250);

/// A server that is rung awake this often within [`BUSY_WINDOW`] stays awake.
const BUSY_RINGS: u32 = 10;
const BUSY_WINDOW: Duration = Duration::from_millis(100);

/// The state, and what it takes to leave it.
#[derive(Debug)]
pub(super) struct Alertness {
    state: State,
    window: Instant,
    rings: u32,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    /// Nobody rings in this database.
    Unrung,
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
    /// Begins by going to sleep. `rings` says whether writers ring at all.
    pub(super) fn new(rings: bool, now: Instant) -> Self {
        let state = if rings { State::Dozing { owing: None } } else { State::Unrung };
        Self { state, window: now, rings: 0 }
    }

    /// Whether it should hold the lock that makes writers ring.
    pub(super) fn wants_lock(&self) -> bool {
        !matches!(self.state, State::Unrung | State::Awake { .. })
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

    /// A read of all there was has ended.
    pub(super) fn note_read(&mut self, found: bool, held: Option<Hold>, now: Instant) {
        match &mut self.state {
            State::Awake { busy } if found => *busy = now,
            State::Awake { busy } if now.duration_since(*busy) > QUIET => self.state = State::Dozing { owing: None },
            // The lock went with its connection. Writers may have found it free since, even if it is held again.
            State::Asleep { hold } if held != Some(*hold) => self.state = State::Dozing { owing: None },
            State::Unrung | State::Awake { .. } | State::Dozing { .. } | State::Asleep { .. } => {}
        }
    }

    /// Somebody rang.
    pub(super) fn note_ring(&mut self, now: Instant) {
        if now.duration_since(self.window) > BUSY_WINDOW {
            self.window = now;
            self.rings = 0;
        }
        self.rings += 1;
        if self.rings >= BUSY_RINGS && self.wants_lock() {
            self.state = State::Awake { busy: now };
        }
    }

    /// How long to wait for the bell before the next read.
    pub(super) fn patience(&self) -> Duration {
        match self.state {
            State::Unrung | State::Dozing { .. } => SLOW_POLL,
            State::Awake { .. } => QUICK_POLL,
            State::Asleep { .. } => SAFETY_POLL,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Move {
        /// A writer takes its mark.
        Mark,
        /// It looks at the lock, and notifies if somebody holds it.
        Look(usize),
        Commit(usize),
        /// The listener gets to do what the server wants.
        Listener,
        /// The listener's connection breaks: the lock is free.
        Break,
        /// The server, unless it sleeps, asks who writes if it wants to, then reads.
        Round,
        /// A round in which the world goes on between the two.
        RoundWith(Vec<Move>),
        Wait,
    }

    #[derive(Default)]
    struct Writer {
        looked: bool,
        notifies: bool,
    }

    struct World {
        clock: Instant,
        server: Alertness,
        held: Option<Hold>,
        holds: Hold,
        next: u64,
        writers: BTreeMap<u64, Writer>,
        unread: bool,
        bell: bool,
    }

    impl World {
        fn new() -> Self {
            let clock = Instant::now();
            Self {
                clock,
                server: Alertness::new(true, clock),
                held: None,
                holds: 0,
                next: 0,
                writers: BTreeMap::new(),
                unread: false,
                bell: false,
            }
        }

        fn pick(&self, n: usize) -> Option<u64> {
            self.writers.keys().nth(n % self.writers.len().max(1)).copied()
        }

        fn apply(&mut self, step: &Move) {
            match step {
                Move::Mark => {
                    self.next += 1;
                    self.writers.insert(self.next, Writer::default());
                }
                Move::Look(n) => {
                    let held = self.held;
                    if let Some(writer) = self.pick(*n).and_then(|xid| self.writers.get_mut(&xid)) {
                        *writer = Writer { looked: true, notifies: writer.notifies || held.is_some() };
                    }
                }
                Move::Commit(n) => {
                    if let Some(xid) = self.pick(*n).filter(|xid| self.writers[xid].looked) {
                        self.unread = true;
                        self.bell |= self.writers.remove(&xid).unwrap().notifies;
                    }
                }
                Move::Listener if !self.server.wants_lock() => self.held = None,
                Move::Listener if self.held.is_none() => {
                    self.holds += 1;
                    self.held = Some(self.holds);
                }
                Move::Listener => {}
                // A listener that reconnects rings once: it may have missed some.
                Move::Break => (self.held, self.bell) = (None, true),
                Move::Round => self.turn(&[]),
                Move::RoundWith(meanwhile) => self.turn(meanwhile),
                Move::Wait => self.clock += QUIET,
            }
        }

        fn round(&mut self, meanwhile: &[Move]) {
            if self.server.wants_writers() {
                let held = self.held;
                let running = self.writers.keys().map(|&xid| crate::frontier::Writer::of_any(Some(xid))).collect();
                for step in meanwhile {
                    self.apply(step);
                }
                self.server.note_writers(&Writers { bound: None, running }, held);
            }
            let found = std::mem::take(&mut self.unread);
            self.server.note_read(found, self.held, self.clock);
        }

        /// The server goes on when it is rung, and when it is not asleep.
        fn turn(&mut self, meanwhile: &[Move]) {
            if std::mem::take(&mut self.bell) {
                self.server.note_ring(self.clock);
                self.round(meanwhile);
            } else if self.server.patience() < SAFETY_POLL {
                self.round(meanwhile);
            }
        }
    }

    fn quick_move() -> impl Strategy<Value = Move> {
        prop_oneof![
            Just(Move::Mark),
            (0..4_usize).prop_map(Move::Look),
            (0..4_usize).prop_map(Move::Commit),
            Just(Move::Listener),
        ]
    }

    fn moves() -> impl Strategy<Value = Vec<Move>> {
        let any = prop_oneof![
            8 => quick_move(),
            3 => Just(Move::Round),
            2 => prop::collection::vec(quick_move(), 1..5).prop_map(Move::RoundWith),
            1 => Just(Move::Break),
            1 => Just(Move::Wait),
        ];
        prop::collection::vec(any, 1..80)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// Whatever the schedule: a commit is read without the safety poll.
        #[test]
        fn no_wake_up_is_lost(moves in moves()) {
            let mut world = World::new();
            for step in &moves {
                world.apply(step);
                // A sleeping server reads only when it is rung, so what stands between it and a commit is a bell.
                if world.server.patience() < SAFETY_POLL || world.bell {
                    continue;
                }
                prop_assert!(!world.unread, "asleep beside an unread commit: {:?}", world.server);
            }
            for n in 0..world.writers.len() {
                world.apply(&Move::Look(n));
            }
            while !world.writers.is_empty() {
                world.apply(&Move::Commit(0));
                for _ in 0..4 {
                    world.turn(&[]);
                    world.apply(&Move::Listener);
                }
                prop_assert!(!world.unread, "a commit was slept through: {:?}", world.server);
            }
        }
    }

    #[test]
    fn a_busy_server_lets_go_of_the_lock_and_a_quiet_one_takes_it_again() {
        let mut world = World::new();
        world.apply(&Move::Listener);
        (0..3).for_each(|_| world.round(&[]));
        assert!(matches!(world.server.state, State::Asleep { .. }));
        (0..BUSY_RINGS).for_each(|_| world.server.note_ring(world.clock));
        assert!(!world.server.wants_lock());
        world.apply(&Move::Wait);
        world.clock += Duration::from_millis(1);
        world.round(&[]);
        assert_eq!(world.server.state, State::Dozing { owing: None });
    }

    #[test]
    fn where_nobody_rings_nobody_sleeps() {
        let mut alertness = Alertness::new(false, Instant::now());
        alertness.note_read(false, None, Instant::now());
        assert!(!alertness.wants_lock() && alertness.patience() == SLOW_POLL);
    }
}
