//! Recent events in the order of the tailer: fan-out and history in one.
//!
//! A session is a position in here. It costs nothing to the writer, sees every event in the one order, and a session of two organizations cannot write a
//! cursor that claims events which still wait in the queue of the other, because there is only one queue. Bounded by bytes: who falls off the old end
//! reads from the outbox until it is back.

mod bell;
mod entry;
mod erase;
mod life;
mod topics;

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

pub use bell::Bell;
pub use entry::Entry;
pub use topics::{Interest, Subscription, Topic, Waiters};

use crate::{
    cursor::Cursor,
    epoch::Epochs,
    event::{Audience, Event},
};

/// The number of a batch, counted since the server started. A session's position is the number of the next batch to read.
pub type Position = u64;

/// What the tailer appends at once. Small, because a session takes whole batches and writes one cursor for each write.
#[derive(Debug)]
struct Batch {
    /// What has been seen with this batch and all before it.
    cursor: Arc<Cursor>,
    entries: Vec<Arc<Entry>>,
    bytes: usize,
}

/// The log.
#[derive(Debug)]
pub struct Log {
    recent: RwLock<Recent>,
    /// The number that the next batch will have, for those who only want to know whether there is anything new.
    end: AtomicU64,
    /// How often something was taken out of what had been appended.
    edition: AtomicU64,
    /// Shared with the logs before and after: sessions wait for whichever is current.
    waiters: Arc<Waiters>,
    /// The lives of the database, of which this log holds the last.
    epochs: Epochs,
    limit: usize,
}

#[derive(Debug)]
struct Recent {
    batches: VecDeque<Batch>,
    /// The number of the oldest batch.
    first: Position,
    /// Where the entries of each topic are, ascending: batch and index in it.
    by_topic: HashMap<Topic, VecDeque<(Position, usize)>>,
    /// What has been seen up to now; ahead of the last batch's when gaps turned out to be dead.
    head: Arc<Cursor>,
    /// The last batch of each topic that has left.
    evicted: HashMap<Topic, Position>,
    /// All events above this id that were seen are in here.
    complete_above: i64,
    bytes: usize,
}

/// How much the log holds.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Bytes of events.
    pub bytes: usize,
    /// The most bytes.
    pub limit: usize,
    /// How many events.
    pub entries: usize,
    /// When the oldest of them was written.
    pub oldest: Option<jiff::Timestamp>,
}

/// What a session finds at its position.
#[derive(Debug)]
pub enum Read {
    /// Events for it, in order, and what it has seen when it has written them. There may be more at the new position.
    Entries {
        /// The events filed under its interest.
        entries: Vec<Arc<Entry>>,
        /// Its new cursor.
        cursor: Arc<Cursor>,
        /// Its new position.
        position: Position,
        /// Whether it has read all there is.
        at_end: bool,
    },
    /// Its position is gone: it has to read from the outbox.
    Gone,
}

impl Log {
    /// An empty log of at most `limit` bytes of events, complete above `start`.
    #[must_use]
    pub fn new(limit: usize, start: i64) -> Self {
        let recent = Recent {
            batches: VecDeque::new(),
            first: 0,
            by_topic: HashMap::new(),
            evicted: HashMap::new(),
            head: Arc::new(Cursor::up_to(start)),
            complete_above: start,
            bytes: 0,
        };
        Self {
            recent: RwLock::new(recent),
            end: AtomicU64::new(0),
            edition: AtomicU64::new(0),
            waiters: Arc::default(),
            epochs: Epochs::default(),
            limit,
        }
    }

    /// From now on the subscription is woken by what is appended for `interest`.
    #[must_use]
    pub fn subscribe(&self, interest: Interest) -> Subscription {
        self.waiters.subscribe(interest)
    }

    /// Appends what the tailer has seen; `cursor` is what has been seen with it.
    pub fn append(&self, events: Vec<Event>, cursor: Cursor) {
        let cursor = Arc::new(cursor.in_epoch(self.epochs.current()));
        let mut topics = HashSet::new();
        {
            let mut recent = self.recent.write().unwrap_or_else(PoisonError::into_inner);
            recent.head = Arc::clone(&cursor);
            let entries: Vec<_> = events
                .into_iter()
                .filter(|event| event.audience != Audience::Nobody)
                .map(|event| Arc::new(Entry::new(event)))
                .collect();
            if entries.is_empty() {
                return;
            }
            let number = recent.end();
            for (index, entry) in entries.iter().enumerate() {
                let topic = Topic::of(&entry.event);
                recent.by_topic.entry(topic.clone()).or_default().push_back((number, index));
                topics.insert(topic);
            }
            let bytes = entries.iter().map(|entry| entry.event.size()).sum();
            recent.bytes += bytes;
            recent.batches.push_back(Batch { cursor, entries, bytes });
            while recent.bytes > self.limit && recent.batches.len() > 1 {
                recent.evict();
            }
            self.end.store(recent.end(), Ordering::Release);
        }
        self.waiters.wake(&topics);
    }

    /// How much it holds.
    #[must_use]
    pub fn size(&self) -> Size {
        let recent = self.recent.read().unwrap_or_else(PoisonError::into_inner);
        Size {
            bytes: recent.bytes,
            limit: self.limit,
            entries: recent.batches.iter().map(|batch| batch.entries.len()).sum(),
            oldest: recent.batches.front().and_then(|batch| batch.entries.first()).map(|entry| entry.event.created_at),
        }
    }

    /// What has been seen up to now, and the position after it.
    #[must_use]
    pub fn head(&self) -> (Arc<Cursor>, Position) {
        let recent = self.recent.read().unwrap_or_else(PoisonError::into_inner);
        (Arc::clone(&recent.head), recent.end())
    }

    /// The position after all that has been appended. Takes no lock.
    #[must_use]
    pub fn end(&self) -> Position {
        self.end.load(Ordering::Acquire)
    }

    /// Another number whenever something was taken out of what had been appended: what was read before by another number is not to be told to anybody any more.
    #[must_use]
    pub fn edition(&self) -> u64 {
        self.edition.load(Ordering::Acquire)
    }

    /// Events up to this id may be missing, whatever has been appended since.
    pub fn lack(&self, through: i64) {
        let mut recent = self.recent.write().unwrap_or_else(PoisonError::into_inner);
        recent.complete_above = recent.complete_above.max(through);
    }

    /// Where to read on for a client that has seen `cursor`; none when some of what it lacks may have left the log.
    #[must_use]
    pub fn position_after(&self, cursor: &Cursor) -> Option<Position> {
        let recent = self.recent.read().unwrap_or_else(PoisonError::into_inner);
        // What is missing from the log's head too is still to come, however old its id.
        let complete = cursor.missing_up_to(recent.complete_above).all(|missing| recent.head.lacks(missing));
        complete.then(|| {
            let seen = recent.batches.partition_point(|batch| cursor.covers(&batch.cursor));
            recent.first + seen as u64
        })
    }

    /// Reads from `position` on what is filed under `interest`, at least one batch and not much more than `max_bytes`.
    #[must_use]
    pub fn read(&self, position: Position, interest: &Interest, max_bytes: usize) -> Read {
        let recent = self.recent.read().unwrap_or_else(PoisonError::into_inner);
        if recent.has_evicted(position, interest) {
            return Read::Gone;
        }
        let position = position.max(recent.first);
        let mut entries: Vec<Arc<Entry>> = Vec::new();
        let mut bytes = 0;
        let mut last = None;
        for (number, index) in recent.filed(position, interest) {
            if bytes > max_bytes && last != Some(number) {
                let position = last.map_or(position, |last| last + 1);
                let cursor = Arc::clone(&recent.batch(position - 1).cursor);
                return Read::Entries { entries, cursor, position, at_end: false };
            }
            let entry = &recent.batch(number).entries[index];
            bytes += entry.event.size();
            entries.push(Arc::clone(entry));
            last = Some(number);
        }
        Read::Entries { entries, cursor: Arc::clone(&recent.head), position: recent.end(), at_end: true }
    }
}

impl Recent {
    /// The number that the next batch will have.
    fn end(&self) -> Position {
        self.first + self.batches.len() as u64
    }

    fn batch(&self, number: Position) -> &Batch {
        let index = usize::try_from(number - self.first).unwrap_or(usize::MAX);
        &self.batches[index]
    }

    /// The places of all entries of interest from `position` on, in order. Lazy: who is far behind takes only what fits into a write.
    fn filed(&self, position: Position, interest: &Interest) -> Box<dyn Iterator<Item = (Position, usize)> + '_> {
        let Some(organizations) = interest.organizations() else {
            return Box::new(
                (position..self.end())
                    .flat_map(|number| (0..self.batch(number).entries.len()).map(move |index| (number, index))),
            );
        };
        let topics = organizations.iter().cloned().map(Topic::Organization).chain([Topic::Platform]);
        let mut queues: Vec<_> = topics
            .filter_map(|topic| self.by_topic.get(&topic))
            .map(|places| {
                let start = places.partition_point(|&(number, _)| number < position);
                places.range(start..).copied().peekable()
            })
            .collect();
        Box::new(std::iter::from_fn(move || {
            let heads = queues.iter_mut().filter_map(|queue| Some((*queue.peek()?, queue)));
            heads.min_by_key(|&(place, _)| place)?.1.next()
        }))
    }

    /// Whether something of interest from `position` on has left. A session that others have overtaken has missed nothing.
    fn has_evicted(&self, position: Position, interest: &Interest) -> bool {
        let Some(organizations) = interest.organizations() else { return position < self.first };
        let topics = organizations.iter().cloned().map(Topic::Organization).chain([Topic::Platform]);
        topics.filter_map(|topic| self.evicted.get(&topic)).any(|&last| position <= last)
    }

    fn evict(&mut self) {
        let Some(batch) = self.batches.pop_front() else { return };
        for entry in &batch.entries {
            let topic = Topic::of(&entry.event);
            self.evicted.insert(topic.clone(), self.first);
            if let Some(places) = self.by_topic.get_mut(&topic) {
                places.pop_front();
                if places.is_empty() {
                    self.by_topic.remove(&topic);
                }
            }
            self.complete_above = self.complete_above.max(entry.event.id);
        }
        self.bytes -= batch.bytes;
        self.first += 1;
    }
}

#[cfg(test)]
mod tests;
