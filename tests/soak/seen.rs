//! What a client remembers of what it has had: the same rule as in `web/src/seen.ts`.

use std::collections::{HashSet, VecDeque};

use rowcast::cursor::Cursor;

/// Repeats come close together, after a reconnect; the cursor covers everything older.
const MAX_IDS: usize = 4096;

/// A bounded set of ids, and the cursor.
#[derive(Default)]
pub(crate) struct Seen {
    cursor: Cursor,
    ids: HashSet<i64>,
    order: VecDeque<i64>,
}

impl Seen {
    /// True the first time that an id is shown to it.
    pub(crate) fn admit(&mut self, id: i64) -> bool {
        if self.cursor.contains(id) || !self.ids.insert(id) {
            return false;
        }
        self.order.push_back(id);
        if self.order.len() > MAX_IDS
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
        true
    }

    /// The server has said what is now behind the client.
    pub(crate) fn advance(&mut self, text: &str) {
        self.cursor = text.parse().unwrap_or_else(|error| panic!("{text} is no cursor: {error}"));
    }

    /// What to send to go on.
    pub(crate) fn cursor(&self) -> String {
        self.cursor.to_string()
    }
}
