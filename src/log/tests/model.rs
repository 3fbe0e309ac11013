//! The log in a world in miniature: ids of several organizations become visible in any order, are appended in batches, and a session reads what is its, in writes
//! of any size, breaking off after any of them.
//!
//! The same model runs with a queue for each organization in place of the log. That is how a server that fans out through channels is usually built, and it loses
//! events: the cursor of one queue claims what still waits in another.

use std::collections::{BTreeSet, HashMap};

use proptest::{prelude::*, test_runner::TestCaseError};

use super::*;
use crate::schedules::{Choices, Verdict, finds, holds, schedules_of};

const SCHEDULES: u32 = 2_000;

const NAMES: [&str; 3] = ["o1", "o2", "o3"];

#[derive(Clone, Debug)]
enum Move {
    /// An id of one of the organizations is drawn, or one of the platform's.
    Draw(usize),
    /// One of the ids drawn is visible from now on.
    Commit(usize),
    /// The tailer appends at most so many.
    Append(usize),
    /// The session writes about so much of what waits for it.
    Write(usize),
    /// It comes back with the cursor of its last write.
    Reconnect,
}

const MOVES: Choices<Move> =
    &[(5, Move::Draw), (5, Move::Commit), (4, Move::Append), (4, Move::Write), (1, |_| Move::Reconnect)];

/// What a session reads from.
trait Source: Default {
    /// Where a session is in it.
    type Place;

    fn append(&mut self, events: Vec<Event>, cursor: Cursor);

    fn place_after(&self, cursor: &Cursor) -> Self::Place;

    /// Ids, what the session has seen when it has written them, and whether that is all.
    fn read(&self, place: &mut Self::Place, organizations: &[&str], max_bytes: usize) -> (Vec<i64>, Arc<Cursor>, bool);
}

struct OneLog(Log);

impl Default for OneLog {
    fn default() -> Self {
        Self(Log::new(1 << 20, 0))
    }
}

impl Source for OneLog {
    type Place = Position;

    fn append(&mut self, events: Vec<Event>, cursor: Cursor) {
        self.0.append(events, cursor);
    }

    fn place_after(&self, cursor: &Cursor) -> Position {
        self.0.position_after(cursor).unwrap()
    }

    fn read(&self, place: &mut Position, names: &[&str], max_bytes: usize) -> (Vec<i64>, Arc<Cursor>, bool) {
        let Read::Entries { entries, cursor, position, at_end } = self.0.read(*place, &organizations(names), max_bytes)
        else {
            panic!("nothing has left the log")
        };
        *place = position;
        (entries.iter().map(|entry| entry.event.id).collect(), cursor, at_end)
    }
}

/// The plausible alternative.
#[derive(Default)]
struct QueuePerOrganization {
    queues: HashMap<Topic, Vec<(Event, Arc<Cursor>)>>,
    head: Arc<Cursor>,
}

impl Source for QueuePerOrganization {
    type Place = HashMap<Topic, usize>;

    fn append(&mut self, events: Vec<Event>, cursor: Cursor) {
        self.head = Arc::new(cursor);
        for event in events {
            self.queues.entry(Topic::of(&event)).or_default().push((event, Arc::clone(&self.head)));
        }
    }

    fn place_after(&self, cursor: &Cursor) -> Self::Place {
        let first = |queue: &Vec<(Event, _)>| queue.iter().take_while(|(event, _)| cursor.contains(event.id)).count();
        self.queues.iter().map(|(topic, queue)| (topic.clone(), first(queue))).collect()
    }

    /// Takes from one queue what fits into a write, and comes to the next when that is empty.
    fn read(&self, place: &mut Self::Place, names: &[&str], max_bytes: usize) -> (Vec<i64>, Arc<Cursor>, bool) {
        let topics = names.iter().map(|&name| Topic::Organization(name.into())).chain([Topic::Platform]);
        for topic in topics {
            let Some(queue) = self.queues.get(&topic) else { continue };
            let next = place.entry(topic).or_default();
            let mut bytes = 0;
            let ids = queue[*next..].iter().take_while(|(event, _)| {
                let fits = bytes <= max_bytes;
                bytes += event.size();
                fits
            });
            let ids: Vec<i64> = ids.map(|(event, _)| event.id).collect();
            if !ids.is_empty() {
                *next += ids.len();
                return (ids, Arc::clone(&queue[*next - 1].1), false);
            }
        }
        (Vec::new(), Arc::clone(&self.head), true)
    }
}

struct World<S: Source> {
    /// The organization of each id that was drawn; none is the platform.
    ids: Vec<Option<&'static str>>,
    open: BTreeSet<i64>,
    waiting: BTreeSet<i64>,
    appended: BTreeSet<i64>,
    source: S,
    interest: Vec<&'static str>,
    place: S::Place,
    /// What the session came with: it does not write that again.
    brought: Cursor,
    /// Of its last write.
    cursor: Cursor,
    got: BTreeSet<i64>,
}

impl<S: Source> World<S> {
    fn new(interest: Vec<&'static str>) -> Self {
        let source = S::default();
        let place = source.place_after(&Cursor::default());
        Self {
            ids: Vec::new(),
            open: BTreeSet::new(),
            waiting: BTreeSet::new(),
            appended: BTreeSet::new(),
            source,
            interest,
            place,
            brought: Cursor::default(),
            cursor: Cursor::default(),
            got: BTreeSet::new(),
        }
    }

    fn organization(&self, id: i64) -> Option<&'static str> {
        self.ids[usize::try_from(id).unwrap() - 1]
    }

    fn apply(&mut self, step: &Move) -> Verdict {
        match *step {
            Move::Draw(n) => {
                self.ids.push(NAMES.get(n % 4).copied());
                self.open.insert(i64::try_from(self.ids.len()).unwrap());
            }
            Move::Commit(n) => {
                let chosen = self.open.iter().nth(n % self.open.len().max(1)).copied();
                self.open.retain(|&id| Some(id) != chosen);
                self.waiting.extend(chosen);
            }
            Move::Append(n) => {
                let batch: Vec<i64> = self.waiting.iter().copied().take(n).collect();
                self.waiting.retain(|id| !batch.contains(id));
                self.appended.extend(&batch);
                let events = batch.iter().map(|&id| Event::sample(id, self.organization(id))).collect();
                let high = self.appended.last().copied().unwrap_or(0);
                let missing = (1..=high).filter(|id| !self.appended.contains(id)).map(|id| (id, id));
                self.source.append(events, Cursor::with_gaps(high, missing));
            }
            Move::Write(n) => drop(self.write(n % 4 * 250)?),
            Move::Reconnect => {
                self.brought = self.cursor.to_string().parse().unwrap();
                self.place = self.source.place_after(&self.brought);
            }
        }
        Ok(())
    }

    /// Whether everything has been written.
    fn write(&mut self, max_bytes: usize) -> Result<bool, TestCaseError> {
        let (ids, cursor, at_end) = self.source.read(&mut self.place, &self.interest, max_bytes);
        for id in ids.into_iter().filter(|&id| !self.brought.contains(id)) {
            prop_assert!(self.got.insert(id), "{id} was written twice");
        }
        self.cursor = self.brought.union(&cursor);
        Ok(at_end)
    }

    fn is_wanted(&self, id: i64) -> bool {
        self.organization(id).is_none_or(|organization| self.interest.contains(&organization))
    }
}

/// However it went, in the end the session has written every event of its organizations, once.
fn run<S: Source>((moves, interest): (Vec<Move>, Vec<&'static str>)) -> Verdict {
    let mut world = World::<S>::new(interest);
    for step in &moves {
        world.apply(step)?;
    }
    while !world.open.is_empty() {
        world.apply(&Move::Commit(0))?;
    }
    while !world.waiting.is_empty() {
        world.apply(&Move::Append(4))?;
    }
    while !world.write(0)? {}
    let all = 1..=i64::try_from(world.ids.len()).unwrap();
    let expected: BTreeSet<i64> = all.filter(|&id| world.is_wanted(id)).collect();
    prop_assert_eq!(world.got, expected, "an event was lost");
    Ok(())
}

/// A schedule, and the organizations of the session.
fn schedules() -> impl Strategy<Value = (Vec<Move>, Vec<&'static str>)> {
    (schedules_of(MOVES, 1..120), prop::sample::subsequence(NAMES.to_vec(), 1..=NAMES.len()))
}

#[test]
fn no_cursor_claims_more_than_was_read() {
    holds(SCHEDULES, &schedules(), run::<OneLog>);
}

#[test]
fn one_queue_for_each_organization_is_found_out() {
    finds(SCHEDULES, &schedules(), "an event was lost", run::<QueuePerOrganization>);
}
