//! What a session has been given, and what its cursors say that it has: they go on, and where it was asked to, back.

use std::{
    collections::{BTreeSet, HashSet},
    mem,
};

use rowcast::cursor::Cursor;

use crate::{
    history::{History, Session},
    moments::Moment,
};

pub(super) struct Claims<'a> {
    history: &'a History,
    high: i64,
    /// What its client says that it has seen.
    cursor: Option<Cursor>,
    /// What it has not been told to have seen.
    pending: BTreeSet<i64>,
    /// What has been passed over and judged: that counts once.
    judged: HashSet<i64>,
    delivered: HashSet<i64>,
    /// What may come once more.
    repeatable: HashSet<i64>,
    rewinds: Vec<Rewind>,
    /// Until the first cursor of a stream that began at the head has come: what that one claims is the past.
    at_head: bool,
    past: bool,
}

/// Types were asked for since a cursor: the stream has to go back, but cursors that were under way may come before it does.
struct Rewind {
    types: BTreeSet<&'static str>,
    since: Cursor,
    answered: Moment,
    /// Whether something came that was committed after the answer. The stream has gone back before the next cursor.
    due: bool,
    /// What was passed over and must not have been, if it stays so.
    passed: BTreeSet<i64>,
}

/// What is wrong about a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Odd {
    /// The client's cursor has it already, so the client drops it.
    Had,
    /// The stream had sent it before.
    Again,
}

impl<'a> Claims<'a> {
    pub(super) fn new(history: &'a History, session: &Session) -> Self {
        let after = session.after.as_ref();
        let floor = after.map_or(0, Cursor::floor);
        // Nothing above is claimed.
        let high = session.high().max(floor);
        let pending = history.ids.range(floor + 1..=high.max(floor + 1)).map(|(&id, _)| id);
        let pending = pending.filter(|&id| after.is_none_or(|cursor| !cursor.contains(id))).collect();
        Self {
            history,
            high,
            cursor: after.cloned(),
            pending,
            judged: HashSet::new(),
            delivered: HashSet::new(),
            repeatable: HashSet::new(),
            rewinds: Vec::new(),
            at_head: after.is_none(),
            past: false,
        }
    }

    pub(super) fn deliver(&mut self, id: i64) -> Option<Odd> {
        let again = !self.delivered.insert(id) && !self.repeatable.remove(&id);
        let had = self.cursor.as_ref().is_some_and(|cursor| cursor.contains(id));
        again.then_some(Odd::Again).or(had.then_some(Odd::Had))
    }

    pub(super) fn is_delivered(&self, id: i64) -> bool {
        self.delivered.contains(&id)
    }

    /// Whether what was claimed last is the past of a stream that began at the head, which does not owe it.
    pub(super) fn is_past(&self) -> bool {
        self.past
    }

    /// These types were asked for since a cursor, which was answered just now.
    pub(super) fn go_back(&mut self, types: BTreeSet<&'static str>, since: &Cursor, answered: Moment) {
        let mut rewind = Rewind { types, since: since.clone(), answered, due: false, passed: BTreeSet::new() };
        for (&id, key) in self.history.ids.range(since.floor() + 1..=self.high.max(since.floor() + 1)) {
            let event_type = self.history.events.get(key).map_or("", |event| event.event_type);
            let is_seen = self.cursor.as_ref().is_some_and(|cursor| cursor.contains(id));
            if rewind.lacks(id, event_type) {
                self.judged.remove(&id);
                self.delivered.remove(&id);
                if is_seen {
                    rewind.passed.insert(id);
                }
            } else if is_seen {
                // Nothing is owed for the second time, be it from before this stream.
                self.judged.insert(id);
            }
        }
        self.rewinds.push(rewind);
    }

    /// Whether the client has been told to have seen less than before, and nobody has asked for that.
    pub(super) fn goes_back_by_itself(&self, cursor: &Cursor) -> bool {
        self.rewinds.is_empty() && self.cursor.as_ref().is_some_and(|before| !cursor.covers(before))
    }

    /// The ids that are to be judged now that a cursor has come, on a stream that is as fresh as that.
    pub(super) fn claim(&mut self, cursor: &Cursor, freshness: Moment) -> Vec<i64> {
        self.past = mem::take(&mut self.at_head);
        self.take_back(cursor);
        let claimed: Vec<i64> =
            self.pending.range(..=cursor.high()).copied().filter(|&id| cursor.contains(id)).collect();
        let mut judged = Vec::new();
        for id in claimed {
            self.pending.remove(&id);
            let event_type = self.history.ids.get(&id).and_then(|key| self.history.events.get(key));
            let event_type = event_type.map_or("", |event| event.event_type);
            match self.rewinds.iter_mut().find(|rewind| !rewind.due && rewind.lacks(id, event_type)) {
                Some(rewind) => drop(rewind.passed.insert(id)),
                None => judged.extend(self.judged.insert(id).then_some(id)),
            }
        }
        for rewind in &mut self.rewinds {
            if rewind.due {
                let passed = mem::take(&mut rewind.passed).into_iter().filter(|&id| cursor.contains(id));
                judged.extend(passed.filter(|&id| self.judged.insert(id)));
            }
            rewind.due |= freshness > rewind.answered;
        }
        self.cursor = Some(cursor.clone());
        judged
    }

    /// What the client had seen by its last cursor, and has not by this one, is to come once more where it was asked for.
    fn take_back(&mut self, cursor: &Cursor) {
        let Some(before) = self.cursor.as_ref().filter(|before| !cursor.covers(before)) else { return };
        for (&id, key) in self.history.ids.range(cursor.floor() + 1..=before.high()) {
            if before.contains(id) && !cursor.contains(id) {
                self.pending.insert(id);
                let event_type = self.history.events.get(key).map_or("", |event| event.event_type);
                // What was under way when it was asked for comes again.
                if self.rewinds.iter().any(|rewind| !rewind.due && rewind.lacks(id, event_type)) {
                    self.repeatable.insert(id);
                }
            }
        }
    }
}

impl Rewind {
    fn lacks(&self, id: i64, event_type: &str) -> bool {
        self.types.contains(event_type) && !self.since.contains(id)
    }
}
