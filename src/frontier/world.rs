//! A database in miniature: writers as sql/functions make them, statement by statement and step by step, in any schedule. Each of its rules can be broken.

use std::collections::BTreeSet;

use super::{Writer, Writers};
use crate::cursor::IdRange;

/// Blocks of the first windows, in bits: small, so that schedules come to their end.
const FIRST_BITS: u32 = 1;

/// Windows of one size, then they are twice as wide.
const WINDOWS_OF_A_SIZE: u32 = 2;

/// A rule that is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// None is.
    None,
    /// An id is drawn before the transaction has an id of its own, a mark and a window.
    DrawBeforeMark,
    /// The bound is that of a snapshot: the next after the last transaction that has ended.
    BoundOfSnapshot,
    /// A gap is called dead without having been looked into once more.
    NoLastRead,
    /// The window is locked after the draw.
    WindowAfterDraw,
    /// An id beyond the window is kept.
    KeepBeyondWindow,
}

/// What a statement does, one after the other; anything may happen in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    /// Takes the transaction's id and the mark.
    Mark,
    /// Opens a window, unless the next id is in the newest.
    Window,
    /// Draws an id. One beyond the window is left to nobody, and the window comes again.
    Draw,
}

#[derive(Clone, Debug, Default)]
struct Transaction {
    xid: Option<u64>,
    marked: bool,
    windows: Vec<IdRange>,
    ids: Vec<i64>,
    /// What is left of the statement that it is in.
    acts: Vec<Act>,
    /// An id that is drawn and in no window yet.
    early: Option<i64>,
    savepoint: Option<Box<Transaction>>,
}

#[derive(Debug)]
pub(super) struct World {
    fault: Fault,
    next_xid: u64,
    latest_ended: u64,
    next_id: i64,
    open: Vec<Transaction>,
    pub(super) visible: BTreeSet<i64>,
}

/// What may happen. Numbers pick one of the open transactions.
#[derive(Clone, Debug)]
pub(super) enum Event {
    Begin,
    /// Goes on with its statement, or begins one.
    Act(usize),
    Savepoint(usize),
    RollbackToSavepoint(usize),
    Commit(usize),
    Rollback(usize),
}

impl World {
    pub(super) fn new(fault: Fault) -> Self {
        Self { fault, next_xid: 0, latest_ended: 0, next_id: 0, open: Vec::new(), visible: BTreeSet::new() }
    }

    pub(super) fn apply(&mut self, event: &Event) {
        let count = self.open.len().max(1);
        let pick = |n: usize| n % count;
        match *event {
            Event::Begin => self.open.push(Transaction::default()),
            Event::Act(n) if !self.open.is_empty() => self.act(pick(n)),
            Event::Savepoint(n) => {
                if let Some(transaction) = self.open.get_mut(pick(n)).filter(|transaction| transaction.acts.is_empty())
                {
                    transaction.savepoint = Some(Box::new(transaction.clone()));
                }
            }
            Event::RollbackToSavepoint(n) => {
                if let Some(transaction) = self.open.get_mut(pick(n)) {
                    let xid = transaction.xid;
                    if let Some(saved) = transaction.savepoint.take() {
                        *transaction = Transaction { xid, ..*saved };
                    }
                }
            }
            Event::Commit(n) => {
                if self.open.get(pick(n)).is_some_and(|transaction| transaction.acts.is_empty()) {
                    let transaction = self.end(pick(n));
                    self.visible.extend(transaction.ids);
                }
            }
            Event::Rollback(n) if !self.open.is_empty() => {
                self.end(pick(n));
            }
            Event::Act(_) | Event::Rollback(_) => {}
        }
    }

    /// All that is open finishes its statement and commits.
    pub(super) fn come_to_rest(&mut self) {
        while !self.open.is_empty() {
            while !self.open[0].acts.is_empty() {
                self.act(0);
            }
            self.apply(&Event::Commit(0));
        }
    }

    fn end(&mut self, n: usize) -> Transaction {
        let transaction = self.open.remove(n);
        self.latest_ended = self.latest_ended.max(transaction.xid.unwrap_or(0));
        transaction
    }

    fn act(&mut self, n: usize) {
        let transaction = &mut self.open[n];
        if transaction.acts.is_empty() {
            transaction.acts = match self.fault {
                Fault::DrawBeforeMark => vec![Act::Window, Act::Mark, Act::Draw],
                Fault::WindowAfterDraw => vec![Act::Window, Act::Draw, Act::Mark],
                _ => vec![Act::Draw, Act::Window, Act::Mark],
            };
        }
        match transaction.acts.pop() {
            Some(Act::Mark) => {
                transaction.xid.get_or_insert_with(|| {
                    self.next_xid += 1;
                    self.next_xid
                });
                transaction.marked = true;
            }
            Some(Act::Window) => {
                let early = transaction.early.take();
                transaction.ids.extend(early);
                let next = early.unwrap_or(self.next_id + 1);
                if transaction.windows.last().is_none_or(|&(_, last)| last < next) {
                    let opened = u32::try_from(transaction.windows.len()).unwrap();
                    let bits = FIRST_BITS + opened / WINDOWS_OF_A_SIZE;
                    let block = next >> bits;
                    transaction.windows.push((block << bits, ((block + 2) << bits) - 1));
                }
            }
            Some(Act::Draw) => {
                self.next_id += 1;
                let id = self.next_id;
                if transaction.acts.contains(&Act::Window) {
                    transaction.early = Some(id);
                } else if self.fault == Fault::KeepBeyondWindow
                    || transaction.windows.iter().any(|&(_, last)| id <= last)
                {
                    transaction.ids.push(id);
                } else {
                    transaction.acts = vec![Act::Draw, Act::Window];
                }
            }
            None => {}
        }
    }

    /// What the tailer is told. Some of the writers may not be identified.
    pub(super) fn writers(&mut self, with_bound: bool, blurred: bool) -> Writers {
        let bound = with_bound.then(|| {
            if self.fault == Fault::BoundOfSnapshot {
                return self.latest_ended + 1;
            }
            self.next_xid += 1;
            self.latest_ended = self.next_xid;
            self.next_xid
        });
        let marked = self.open.iter().filter(|transaction| transaction.marked);
        let running = marked.enumerate().map(|(number, transaction)| {
            let xid = transaction.xid.filter(|_| !blurred || number % 2 == 1);
            if transaction.windows.is_empty() {
                Writer::of_any(xid)
            } else {
                Writer { xid, windows: transaction.windows.clone() }
            }
        });
        Writers { bound, running: running.collect() }
    }

    pub(super) fn has_ended(&self, xid: u64) -> bool {
        self.open.iter().all(|transaction| transaction.xid != Some(xid))
    }

    pub(super) fn oldest_running(&self) -> u64 {
        self.open.iter().filter_map(|transaction| transaction.xid).min().unwrap_or(self.next_xid + 1)
    }

    /// The ids that may still become visible.
    pub(super) fn undecided(&self) -> impl Iterator<Item = i64> + '_ {
        self.open.iter().flat_map(|transaction| transaction.ids.iter().copied().chain(transaction.early))
    }
}
