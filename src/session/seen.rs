//! What a client has seen.

use std::sync::Arc;

use crate::cursor::Cursor;

/// What a client has seen: all that the log had at its position, and for clients that come from a server that was ahead of
/// this one, some more.
#[derive(Clone)]
pub(super) struct Seen {
    pub(super) log: Arc<Cursor>,
    pub(super) ahead: Option<Cursor>,
}

impl Seen {
    pub(super) fn cursor(&self) -> Arc<Cursor> {
        match &self.ahead {
            Some(ahead) => Arc::new(ahead.union(&self.log)),
            None => Arc::clone(&self.log),
        }
    }

    /// The log has been read up to here.
    pub(super) fn log_reached(&mut self, cursor: Arc<Cursor>) {
        if self.ahead.as_ref().is_some_and(|ahead| cursor.covers(ahead)) {
            self.ahead = None;
        }
        self.log = cursor;
    }

    /// Whether the client brought this id from elsewhere, so that the log will have it for the second time.
    pub(super) fn is_ahead_by(&self, id: i64) -> bool {
        self.ahead.as_ref().is_some_and(|ahead| ahead.contains(id))
    }
}
