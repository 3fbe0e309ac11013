//! What happened, as the judge gets it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rowcast::cursor::Cursor;

use crate::{
    events::{Event, FIELDS, Key, Shown},
    moments::Moment,
    rules::{Access, Wanted},
};

/// Everything that was done and seen.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    pub(crate) access: Access,
    /// What was committed.
    pub(crate) events: HashMap<Key, Event>,
    /// What the outbox calls it.
    pub(crate) ids: BTreeMap<i64, Key>,
    pub(crate) sessions: Vec<Session>,
}

/// One stream, or one poll.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) wanted: Wanted,
    /// Which server.
    pub(crate) server: usize,
    /// Before the request was sent.
    pub(crate) asked: Moment,
    /// What it said to have seen; none: it began at the head.
    pub(crate) after: Option<Cursor>,
    /// What came, in order, and when it had been read.
    pub(crate) items: Vec<(Moment, Item)>,
}

/// What can come.
#[derive(Clone, Debug)]
pub(crate) enum Item {
    /// 200, and for a stream `connected`.
    Entered,
    /// 403.
    Refused,
    /// `closing`, because the last of the user's access was taken away.
    Revoked,
    /// An event: its operation, its number and how its fields are shown.
    Event(String, u64, [Shown; FIELDS.len()]),
    /// An event with other data than what was written, however its fields are shown.
    Garbled(String),
    Cursor(Cursor),
    /// Something was asked of the open stream, and answered.
    Changed(Change),
    /// Something was asked of somebody else's stream, and answered with this status.
    Meddled(u16),
    /// What nothing in this test is a reason for: a reset, or a status that is not documented.
    Unexpected(String),
}

/// What was asked of an open stream, and what was answered.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    /// Before the request was sent.
    pub(crate) asked: Moment,
    pub(crate) ask: Ask,
    /// The types that are sent now; none: refused with 403.
    pub(crate) answer: Option<BTreeSet<String>>,
}

#[derive(Clone, Debug)]
pub(crate) enum Ask {
    Subscribe { types: BTreeSet<&'static str>, since: Option<Cursor> },
    Unsubscribe { types: BTreeSet<&'static str> },
    Renew,
}

impl Session {
    pub(crate) fn new(wanted: Wanted, server: usize, asked: Moment, after: Option<Cursor>) -> Self {
        Self { wanted, server, asked, after, items: Vec::new() }
    }

    /// The highest id that it was told to have seen.
    pub(crate) fn high(&self) -> i64 {
        let cursors = self.items.iter().filter_map(|(_, item)| match item {
            Item::Cursor(cursor) => Some(cursor.high()),
            _ => None,
        });
        cursors.max().unwrap_or_default()
    }
}
