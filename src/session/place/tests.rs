//! The splice in a world in miniature: transactions that end in any order, two servers that have come more or less far and forget what is old, and a client that
//! breaks off anywhere and goes on with either.
//!
//! The client is as the real one: it keeps the ids that it has had, and sends back the cursor of the last write that it has had whole.

use std::collections::{BTreeMap, BTreeSet};

use proptest::{prelude::*, test_runner::TestCaseError};

use super::*;
use crate::{
    event::Event,
    schedules::{Choices, Verdict, finds, holds, schedules_of},
};

const SCHEDULES: u32 = 3_000;

/// The log of a server holds about this many events.
const LOG_EVENTS: usize = 4;

/// Rows of the app. A transaction that has written one keeps others from it until it ends.
const ROWS: usize = 4;

/// The client's organizations, of those in [`World::organization`].
const ORGANIZATIONS: [&str; 2] = ["o1", "o3"];

/// A rule that is taken out, to see that the model notices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Broken {
    Nothing,
    /// Takes the head of the log for everything up to its highest id: replay is bounded by `id <= high`.
    BoundedById,
    /// Drops what comes up in the log with an id that replay has passed.
    DroppedById,
    /// Sends all rows that a page has, also those that the log is yet to bring.
    SendsWhatItFinds,
    /// Looks where the log is when replay ends, not when it begins.
    PositionLast,
    /// Forgets what the client had from a server that was ahead.
    ForgetsWhatIsAhead,
}

#[derive(Clone, Debug)]
enum Move {
    /// A transaction writes a row, which draws an id.
    Draw(usize),
    Commit(usize),
    Rollback(usize),
    /// A server reads some of what is visible.
    Tail(usize),
    /// A server finds out which transactions have ended without their ids.
    Decide(usize),
    /// The client connects to a server, from where it was.
    Connect(usize),
    /// It gets what waits for it, at most about so much at once.
    Write(usize),
    /// It gets a part of that only, and the connection breaks.
    Cut(usize),
}

const MOVES: Choices<Move> = &[
    (8, Move::Draw),
    (6, Move::Commit),
    (1, Move::Rollback),
    (8, Move::Tail),
    (2, Move::Decide),
    (3, Move::Connect),
    (7, Move::Write),
    (1, Move::Cut),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Open,
    Visible,
    RolledBack,
}

struct Tailing {
    log: Log,
    high: i64,
    seen: BTreeSet<i64>,
    /// Ids that it knows to be rolled back.
    dead: BTreeSet<i64>,
}

struct Connection {
    server: usize,
    place: Place,
    /// Ids that were sent on it.
    sent: BTreeSet<i64>,
    /// For the rule that goes by ids.
    replayed_to: i64,
}

struct World {
    broken: Broken,
    /// What has become of each id, and the row it is of.
    ids: BTreeMap<i64, (Fate, usize)>,
    servers: [Tailing; 2],
    connection: Option<Connection>,
    /// As the client has it.
    cursor: String,
    received: Vec<i64>,
    /// What it has received in writes of which the end, and so the cursor, did not come. That may come again.
    unclaimed: BTreeSet<i64>,
}

fn organization(id: i64) -> &'static str {
    ["o1", "o2", "o3"][usize::try_from(id).unwrap() % 3]
}

impl Tailing {
    fn new() -> Self {
        let log = Log::new(LOG_EVENTS * Event::sample(1, Some("o1")).size(), 0);
        Self { log, high: 0, seen: BTreeSet::new(), dead: BTreeSet::new() }
    }

    /// Appends these, and what has been seen with them.
    fn append(&mut self, ids: &[i64]) {
        self.seen.extend(ids);
        self.high = self.seen.last().copied().unwrap_or(0).max(self.high);
        let missing = (1..=self.high).filter(|id| !self.seen.contains(id) && !self.dead.contains(id));
        let cursor = Cursor::with_gaps(self.high, missing.map(|id| (id, id)));
        self.log.append(ids.iter().map(|&id| Event::sample(id, Some(organization(id)))).collect(), cursor);
    }
}

impl World {
    fn new(broken: Broken) -> Self {
        Self {
            broken,
            ids: BTreeMap::new(),
            servers: [Tailing::new(), Tailing::new()],
            connection: None,
            cursor: "0".to_owned(),
            received: Vec::new(),
            unclaimed: BTreeSet::new(),
        }
    }

    fn with(&self, fate: Fate) -> impl Iterator<Item = i64> {
        self.ids.iter().filter(move |(_, (is, _))| *is == fate).map(|(&id, _)| id)
    }

    fn end(&mut self, n: usize, fate: Fate) {
        let open: Vec<i64> = self.with(Fate::Open).collect();
        if let Some(id) = open.get(n % open.len().max(1)) {
            self.ids.get_mut(id).unwrap().0 = fate;
        }
    }

    fn apply(&mut self, step: &Move) -> Verdict {
        match *step {
            Move::Draw(n) => {
                let row = n % ROWS;
                if !self.ids.values().any(|&written| written == (Fate::Open, row)) {
                    let id = self.ids.last_key_value().map_or(1, |(last, _)| last + 1);
                    self.ids.insert(id, (Fate::Open, row));
                }
            }
            Move::Commit(n) => self.end(n, Fate::Visible),
            Move::Rollback(n) => self.end(n, Fate::RolledBack),
            // The lowest first.
            Move::Tail(n) => {
                let server = &self.servers[n % 2];
                let unseen = self.with(Fate::Visible).filter(|id| !server.seen.contains(id)).take(n / 2 % 3 + 1);
                let unseen: Vec<i64> = unseen.collect();
                self.servers[n % 2].append(&unseen);
            }
            Move::Decide(n) => {
                let dead = self.with(Fate::RolledBack).collect();
                self.servers[n % 2].dead = dead;
                self.servers[n % 2].append(&[]);
            }
            Move::Connect(n) => self.connect(n % 2),
            Move::Write(n) => drop(self.write(n, usize::MAX)?),
            Move::Cut(n) => drop(self.write(n, n / 3)?),
        }
        Ok(())
    }

    fn connect(&mut self, server: usize) {
        let cursor = self.cursor.parse().unwrap();
        let place = Place::after(&self.servers[server].log, cursor);
        self.connection = Some(Connection { server, place, sent: BTreeSet::new(), replayed_to: 0 });
        self.begin_replay();
    }

    fn begin_replay(&mut self) {
        let Some(connection) = &mut self.connection else { return };
        if self.broken == Broken::ForgetsWhatIsAhead {
            connection.place.seen.ahead = None;
        }
        let Some(replay) = &mut connection.place.replay else { return };
        connection.replayed_to = replay.until.high();
        if self.broken == Broken::BoundedById {
            replay.until = Arc::new(Cursor::up_to(replay.until.high()));
        }
    }

    /// What is written next; whether there may be more. At most `whole` events of it arrive; if that is not all, the connection breaks.
    fn write(&mut self, size: usize, whole: usize) -> Result<bool, TestCaseError> {
        let Some(connection) = &mut self.connection else { return Ok(false) };
        let read = if connection.place.is_in_outbox() {
            Some((self.page(size % 3 + 1), false))
        } else {
            self.live(size % 3 * 100)
        };
        let Some((ids, at_end)) = read else { return Ok(true) };
        let connection = self.connection.as_mut().unwrap();
        let cursor = connection.place.cursor();
        for &id in ids.iter().take(whole) {
            prop_assert!(connection.sent.insert(id), "{id} was sent twice on one connection");
            if self.received.contains(&id) {
                prop_assert!(self.unclaimed.contains(&id), "{id} was sent again to a client whose cursor had it");
                continue;
            }
            let row = |id: &i64| self.ids[id].1;
            let before = self.received.iter().filter(|before| row(before) == row(&id)).max();
            prop_assert!(before < Some(&id), "{id} came after {before:?} of the same row");
            self.received.push(id);
        }
        if whole < ids.len() {
            self.unclaimed.extend(&ids[..whole]);
            self.connection = None;
        } else {
            self.unclaimed.retain(|&id| !cursor.contains(id));
            self.cursor = cursor.to_string();
        }
        Ok(!at_end)
    }

    /// A page of the outbox, as it is now, of at most `rows` rows.
    fn page(&mut self, rows: usize) -> Vec<i64> {
        let connection = self.connection.as_ref().unwrap();
        let ranges = connection.place.outbox_ranges();
        let wanted = |id: &i64| {
            ranges.iter().any(|range| (range.0..=range.1).contains(id)) && ORGANIZATIONS.contains(&organization(*id))
        };
        let mut page: Vec<i64> = self.with(Fate::Visible).filter(wanted).take(rows).collect();
        let through = page.last().copied().filter(|_| page.len() == rows);
        let connection = self.connection.as_mut().unwrap();
        if self.broken != Broken::SendsWhatItFinds {
            page.retain(|&id| connection.place.is_of_outbox(id));
        }
        connection.place.page_read(through);
        if self.broken == Broken::PositionLast && !connection.place.is_in_outbox() {
            connection.place.position = self.servers[connection.server].log.head().1;
        }
        page
    }

    /// What is in the log, and whether it is all; none if the client has fallen off it.
    fn live(&mut self, max_bytes: usize) -> Option<(Vec<i64>, bool)> {
        let connection = self.connection.as_mut().unwrap();
        let log = &self.servers[connection.server].log;
        let interest = Interest::Organizations(ORGANIZATIONS.map(Into::into).into());
        let Some((entries, at_end)) = connection.place.read_log(log, &interest, max_bytes) else {
            self.begin_replay();
            return None;
        };
        let ids = entries.iter().map(|entry| entry.event.id);
        let dropped = if self.broken == Broken::DroppedById { connection.replayed_to } else { 0 };
        Some((ids.filter(|&id| id > dropped).collect(), at_end))
    }
}

/// However it went, in the end the client has every event of its organizations.
fn run(broken: Broken, (moves, last): (Vec<Move>, usize)) -> Verdict {
    let mut world = World::new(broken);
    for step in &moves {
        world.apply(step)?;
    }
    while world.with(Fate::Open).next().is_some() {
        world.apply(&Move::Commit(0))?;
    }
    for n in 0..2 {
        while world.servers[n].seen.len() < world.with(Fate::Visible).count() {
            world.apply(&Move::Tail(n))?;
        }
    }
    if world.connection.is_none() {
        world.connect(last);
    }
    while world.write(last, usize::MAX)? {}
    let expected: BTreeSet<i64> =
        world.with(Fate::Visible).filter(|&id| ORGANIZATIONS.contains(&organization(id))).collect();
    let received: BTreeSet<i64> = world.received.iter().copied().collect();
    prop_assert_eq!(received, expected, "an event was lost");
    Ok(())
}

fn schedules() -> impl Strategy<Value = (Vec<Move>, usize)> {
    (schedules_of(MOVES, 1..120), 0..2_usize)
}

/// Whatever the schedule: nothing is lost, nothing is sent to a client that has it, and each row's events come in order.
#[test]
fn replay_and_live_meet_without_loss_or_repeat() {
    holds(SCHEDULES, &schedules(), |schedule| run(Broken::Nothing, schedule));
}

#[test]
fn replay_bounded_by_id_up_to_high_is_found_out() {
    finds(SCHEDULES, &schedules(), "an event was lost", |schedule| run(Broken::BoundedById, schedule));
}

#[test]
fn dropping_ids_below_what_was_replayed_is_found_out() {
    finds(SCHEDULES, &schedules(), "an event was lost", |schedule| run(Broken::DroppedById, schedule));
}

#[test]
fn sending_all_that_a_page_holds_is_found_out() {
    finds(SCHEDULES, &schedules(), "was sent twice", |schedule| run(Broken::SendsWhatItFinds, schedule));
}

#[test]
fn taking_the_position_after_the_replay_is_found_out() {
    finds(SCHEDULES, &schedules(), "an event was lost", |schedule| run(Broken::PositionLast, schedule));
}

#[test]
fn forgetting_what_another_server_has_sent_is_found_out() {
    finds(SCHEDULES, &schedules(), "was sent again", |schedule| run(Broken::ForgetsWhatIsAhead, schedule));
}
