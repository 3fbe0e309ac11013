//! The doorbell in a world in miniature: writers that look at the lock, and several servers that sleep, doze, poll or are stopped.
//!
//! The world has the database's locks and notifications, and each server's listener as `postgres::listener` makes it; the rule under test is [`Alertness`].
//! Everything that can happen in between happens in steps of its own.

use std::collections::BTreeMap;

use proptest::{prelude::*, test_runner::TestCaseError};

use super::*;
use crate::schedules::{Choices, Verdict, finds, holds, schedules_of};

/// Enough for each broken rule to be found out within a part of them.
const SCHEDULES: u32 = 8_000;

/// With few writers at a time, each gets its turns.
const WRITERS: usize = 3;

/// A rule that is taken out, to see that the model notices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Broken {
    Nothing,
    /// Sleeps as soon as it holds the lock, whoever is writing.
    SleepsBesideWriters,
    /// Counts the lock as held until it has been given back, not only until it is going to be.
    HoldsWhileReleasing,
    /// Cannot tell a lock that was lost and taken again from one that was held all the time.
    IgnoresTheHold,
    /// Does not look at the outbox when the listening connection was lost or is back.
    TrustsAReconnect,
}

#[derive(Clone, Debug)]
enum Move {
    /// A writer takes its mark.
    Mark,
    /// It looks at the lock, and notifies if somebody holds it.
    Look(usize),
    Commit(usize),
    Rollback(usize),
    /// A server takes its next step.
    Server(usize),
    /// It takes all its steps up to where it waits again, undisturbed.
    Turn(usize),
    /// Its listener takes its next step.
    Listener(usize),
    /// The database ends its listening connection. The server has to find out.
    Break(usize),
    /// It finds enough to stay awake, and takes a turn.
    Burst(usize),
    /// For longer than it stays awake for nothing is found, and it takes a turn.
    Quiet(usize),
    /// It gets no processor (SIGSTOP) until it goes on.
    Stop(usize),
    GoOn(usize),
}

#[derive(Default)]
struct Writer {
    looked: bool,
    notifies: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Connection {
    Listening,
    /// Ended by the database; the listener does not know it yet.
    Lost,
    Closed,
}

/// Between the steps of a server the world goes on.
#[derive(Debug)]
enum Phase {
    Waiting,
    Asked { hold: Hold, running: Vec<Option<u64>> },
    Read { found: bool },
}

#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is something else that may or may not be so at any moment")]
struct Server {
    broken: Broken,
    alertness: Alertness,
    phase: Phase,
    wants_lock: bool,
    connection: Connection,
    /// As the database sees it.
    has_lock: bool,
    /// As the listener tells it.
    holds: Option<Hold>,
    taken: Hold,
    bell: bool,
    unread: bool,
    stopped: bool,
}

impl Server {
    fn new(broken: Broken, clock: Instant) -> Self {
        Self {
            broken,
            alertness: Alertness::new(None, clock),
            phase: Phase::Waiting,
            wants_lock: false,
            connection: Connection::Closed,
            has_lock: false,
            holds: None,
            taken: 0,
            bell: false,
            unread: false,
            stopped: false,
        }
    }

    fn is_asleep(&self) -> bool {
        matches!(self.phase, Phase::Waiting) && self.alertness.patience() >= SAFETY_POLL
    }

    /// One step of the listener: what `listen_once` and `keep_lock` do between two awaits.
    fn listen(&mut self) {
        match (self.connection, self.wants_lock) {
            (Connection::Lost, _) => {
                self.connection = Connection::Closed;
                self.holds = None;
                self.bell |= self.broken != Broken::TrustsAReconnect;
            }
            (Connection::Closed, _) => {
                self.connection = Connection::Listening;
                self.bell |= self.broken != Broken::TrustsAReconnect;
            }
            (Connection::Listening, true) if !self.has_lock => self.has_lock = true,
            (Connection::Listening, true) if self.holds.is_none() => {
                self.taken += 1;
                self.holds = Some(if self.broken == Broken::IgnoresTheHold { 1 } else { self.taken });
            }
            (Connection::Listening, true) => {}
            (Connection::Listening, false) if self.broken == Broken::HoldsWhileReleasing => {
                if !std::mem::take(&mut self.has_lock) {
                    self.holds = None;
                }
            }
            (Connection::Listening, false) => {
                if self.holds.take().is_none() {
                    self.has_lock = false;
                }
            }
        }
    }

    /// One step of the tailer: between asking who writes, reading and going to wait.
    fn step(&mut self, clock: Instant, running: &[u64]) {
        match std::mem::replace(&mut self.phase, Phase::Waiting) {
            Phase::Waiting => {
                if !std::mem::take(&mut self.bell) && self.is_asleep() {
                    return;
                }
                match self.holds {
                    Some(hold) if self.alertness.wants_writers() => {
                        let running = running.iter().copied().map(Some).collect();
                        self.phase = Phase::Asked { hold, running };
                    }
                    _ => self.read(),
                }
            }
            Phase::Asked { hold, running } => {
                let running = if self.broken == Broken::SleepsBesideWriters { Vec::new() } else { running };
                let running = running.into_iter().map(crate::frontier::Writer::of_any).collect();
                self.alertness.note_writers(&Writers { bound: None, running }, Some(hold));
                self.read();
            }
            Phase::Read { found } => {
                self.alertness.note_read(usize::from(found), self.holds, clock);
                self.wants_lock = self.alertness.wants_lock();
            }
        }
    }

    fn read(&mut self) {
        self.phase = Phase::Read { found: std::mem::take(&mut self.unread) };
    }
}

struct World {
    clock: Instant,
    next: u64,
    writers: BTreeMap<u64, Writer>,
    servers: Vec<Server>,
}

impl World {
    fn new(broken: Broken, servers: usize) -> Self {
        let clock = Instant::now();
        let servers = (0..servers).map(|_| Server::new(broken, clock)).collect();
        Self { clock, next: 0, writers: BTreeMap::new(), servers }
    }

    fn pick(&self, n: usize) -> Option<u64> {
        self.writers.keys().nth(n % self.writers.len().max(1)).copied()
    }

    fn server(&mut self, n: usize) -> &mut Server {
        let count = self.servers.len();
        &mut self.servers[n % count]
    }

    fn apply(&mut self, step: &Move) {
        match *step {
            Move::Mark if self.writers.len() == WRITERS => {}
            Move::Mark => {
                self.next += 1;
                self.writers.insert(self.next, Writer::default());
            }
            Move::Look(n) => {
                let somebody_sleeps = self.servers.iter().any(|server| server.has_lock);
                if let Some(writer) = self.pick(n).and_then(|xid| self.writers.get_mut(&xid)) {
                    *writer = Writer { looked: true, notifies: writer.notifies || somebody_sleeps };
                }
            }
            Move::Commit(n) => {
                if let Some(xid) = self.pick(n).filter(|xid| self.writers[xid].looked) {
                    self.commit(xid);
                }
            }
            Move::Rollback(n) => drop(self.pick(n).and_then(|xid| self.writers.remove(&xid))),
            Move::Server(n) => {
                let running: Vec<u64> = self.writers.keys().copied().collect();
                let clock = self.clock;
                let server = self.server(n);
                if !server.stopped {
                    server.step(clock, &running);
                }
            }
            Move::Turn(n) => {
                self.apply(&Move::Server(n));
                while !self.server(n).stopped && !matches!(self.server(n).phase, Phase::Waiting) {
                    self.apply(&Move::Server(n));
                }
            }
            Move::Listener(n) => {
                let server = self.server(n);
                if !server.stopped {
                    server.listen();
                }
            }
            Move::Break(n) => {
                let server = self.server(n);
                if server.connection == Connection::Listening {
                    server.connection = Connection::Lost;
                    server.has_lock = false;
                }
            }
            Move::Burst(n) => {
                let clock = self.clock;
                let server = self.server(n);
                server.alertness.note_read(BUSY_TRANSACTIONS, server.holds, clock);
                self.apply(&Move::Turn(n));
            }
            Move::Quiet(n) => {
                self.clock += QUIET + Duration::from_millis(1);
                self.apply(&Move::Turn(n));
            }
            Move::Stop(n) => self.server(n).stopped = true,
            Move::GoOn(n) => self.server(n).stopped = false,
        }
    }

    fn commit(&mut self, xid: u64) {
        let notifies = self.writers.remove(&xid).unwrap().notifies;
        for server in &mut self.servers {
            server.unread = true;
            server.bell |= notifies && server.connection == Connection::Listening;
        }
    }

    /// A sleeping server reads only when it is rung, so what stands between it and a commit is a bell, or word that its connection was lost.
    fn check(&self) -> Verdict {
        for server in self.servers.iter().filter(|server| server.is_asleep()) {
            let will_look = server.bell || server.connection == Connection::Lost;
            prop_assert!(!server.unread || will_look, "asleep beside an unread commit: {server:?}");
        }
        Ok(())
    }

    /// Everybody gets their turns, until nothing changes any more.
    fn settle(&mut self) {
        for _ in 0..8 {
            for server in 0..self.servers.len() {
                self.apply(&Move::Server(server));
                self.apply(&Move::Listener(server));
            }
        }
    }
}

fn run(broken: Broken, (servers, moves): (usize, Vec<Move>)) -> Verdict {
    let mut world = World::new(broken, servers);
    world.settle();
    for step in &moves {
        world.apply(step);
        world.check()?;
    }
    (0..servers).for_each(|server| world.apply(&Move::GoOn(server)));
    world.settle();
    world.check()?;
    while !world.writers.is_empty() {
        world.apply(&Move::Look(0));
        world.apply(&Move::Commit(0));
        world.settle();
        world.check()?;
    }
    // The first time a server that is awake may still find something.
    for _ in 0..2 {
        world.apply(&Move::Quiet(0));
        world.settle();
    }
    let restless = world.servers.iter().find(|server| !server.is_asleep() || server.unread);
    restless.map_or(Ok(()), |server| Err(TestCaseError::fail(format!("it is quiet, but not asleep: {server:?}"))))
}

const MOVES: Choices<Move> = &[
    (4, |_| Move::Mark),
    (4, Move::Look),
    (5, Move::Commit),
    (1, Move::Rollback),
    (8, Move::Server),
    (4, Move::Turn),
    (6, Move::Listener),
    (4, Move::Break),
    (2, Move::Burst),
    (1, Move::Stop),
    (1, Move::GoOn),
    (4, Move::Quiet),
];

/// One server, or several that do not know of each other.
fn schedules() -> impl Strategy<Value = (usize, Vec<Move>)> {
    (prop::sample::select(vec![1_usize, 1, 2, 3]), schedules_of(MOVES, 1..150))
}

/// Whatever the schedule, a commit is read without the safety poll; and when it is quiet, everybody sleeps.
#[test]
fn no_wake_up_is_lost() {
    holds(SCHEDULES, &schedules(), |schedule| run(Broken::Nothing, schedule));
}

#[test]
fn sleeping_without_waiting_for_marked_transactions_is_found_out() {
    finds(SCHEDULES, &schedules(), "asleep beside", |schedule| run(Broken::SleepsBesideWriters, schedule));
}

#[test]
fn counting_on_a_lock_that_is_being_released_is_found_out() {
    finds(SCHEDULES, &schedules(), "asleep beside", |schedule| run(Broken::HoldsWhileReleasing, schedule));
}

#[test]
fn taking_one_hold_of_the_lock_for_another_is_found_out() {
    finds(SCHEDULES, &schedules(), "asleep beside", |schedule| run(Broken::IgnoresTheHold, schedule));
}

#[test]
fn missing_nothing_while_it_did_not_listen_is_found_out() {
    finds(SCHEDULES, &schedules(), "asleep beside", |schedule| run(Broken::TrustsAReconnect, schedule));
}

#[test]
fn a_busy_server_lets_go_of_the_lock_and_a_quiet_one_takes_it_again() {
    let mut world = World::new(Broken::Nothing, 3);
    world.settle();
    assert!(world.servers.iter().all(|server| server.is_asleep() && server.has_lock));
    world.apply(&Move::Burst(0));
    world.settle();
    assert_eq!(world.servers.iter().map(|server| server.has_lock).collect::<Vec<_>>(), [false, true, true]);
    world.apply(&Move::Quiet(0));
    world.settle();
    assert!(world.servers.iter().all(|server| server.is_asleep() && server.has_lock));
}

#[test]
fn where_nobody_rings_nobody_sleeps() {
    let mut alertness = Alertness::new(Some(SLOW_POLL), Instant::now());
    alertness.note_read(0, None, Instant::now());
    assert!(!alertness.wants_lock() && alertness.patience() == SLOW_POLL);
}
