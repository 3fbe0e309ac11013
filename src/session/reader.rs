//! What is next for one client: the events that its user may see, in the order of the log, and the cursor after them.
//!
//! A reader is a position in the log and a cursor. When its position has left the log (a cursor from yesterday, a client slower than the log is long), it
//! reads pages of the outbox up to where the log was when it began, and then goes on from there. It knows nothing of how the client is told.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use tokio::sync::watch;

use super::{
    Resume, Server,
    chunk::{CHUNK_BYTES, Chunk},
    outlook::Outlook,
    place::Place,
    view::Content,
};
use crate::{
    access::{Versioned, Viewer},
    connections::Terms,
    cursor::Cursor,
    log::{Entry, Log, Subscription},
    metrics::Raised,
    policy::{Grants, Policy, RedactionMask},
    postgres,
    sse::{self, ResetReason},
};

/// Rows of the first page of history, when nobody knows yet how large they are.
const FIRST_ROWS: i64 = 50;

/// One client's place in the log, or on the way there.
pub(super) struct Reader {
    pub(super) server: Arc<Server>,
    pub(super) log: Arc<Log>,
    logs: watch::Receiver<Arc<Log>>,
    pub(super) viewer: Arc<Viewer>,
    grants: watch::Receiver<Arc<Versioned<Grants>>>,
    terms: watch::Receiver<Terms>,
    outlook: Outlook,
    /// The types that are sent, as the client knows them: wanted and visible; sorted.
    types: Vec<Box<str>>,
    pub(super) subscription: Subscription,
    pub(super) place: Place,
    /// How many rows of history to ask for next.
    pub(super) rows: i64,
    /// While it reads from the outbox.
    behind: Option<Raised>,
    /// Whether history that the client lacks has been deleted for its age.
    pub(super) expired: bool,
}

/// What was read at once.
pub(super) struct Piece {
    /// What of it is for the client, in order. May be nothing: then a long stretch of history was not for it.
    pub(super) events: Vec<Visible>,
    /// What the client has seen when it has been told.
    pub(super) cursor: Arc<Cursor>,
}

/// An event as its viewer may see it.
pub(super) struct Visible {
    entry: Arc<Entry>,
    policy: Arc<Versioned<Policy>>,
    mask: RedactionMask,
}

/// What there is for a client that sees what others see.
enum Shared {
    /// The next chunk.
    Chunk(Chunk),
    /// Everything has been read, or access has to be followed first.
    Nothing,
    /// It has to read on its own: it is elsewhere than in the log, or what is there depends on who it is.
    Apart,
}

/// What a change of grants or policy means to a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AccessChange {
    /// Other types or organizations.
    Changed,
    /// Its user may not see anything any more, or nothing of the organization asked for.
    Revoked,
}

/// What a new life of the database, or the end of history, means to a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NewLife {
    /// It has seen nothing that is lost, and goes on.
    Continued,
    /// It may have seen what is lost, or lacks what has expired: it has to fetch anew, and goes on from the head.
    Reset(ResetReason),
}

impl NewLife {
    /// Why the client has to fetch anew, if it has to.
    pub(super) fn reset(self) -> Option<ResetReason> {
        match self {
            Self::Continued => None,
            Self::Reset(reason) => Some(reason),
        }
    }
}

impl Visible {
    /// As a viewer sees it to whom these redactions apply.
    pub(super) fn new(entry: Arc<Entry>, policy: Arc<Versioned<Policy>>, mask: RedactionMask) -> Self {
        Self { entry, policy, mask }
    }

    /// Its frame, shared by all who may see the same.
    pub(super) fn frame(&self) -> Bytes {
        self.entry.frame(&self.policy, self.mask)
    }

    /// Its envelope: the same bytes as in the frame.
    pub(super) fn envelope(&self) -> Bytes {
        sse::frame_data(&self.frame())
    }

    /// Its outbox id.
    pub(super) fn id(&self) -> i64 {
        self.entry.event.id
    }

    /// When its row was written.
    pub(super) fn written_at(&self) -> Timestamp {
        self.entry.event.created_at
    }
}

impl Reader {
    /// A place in the log: from here on nothing that the viewer may see is missed. Also whether the client has to fetch anew first, and why.
    pub(super) fn open(
        server: Arc<Server>,
        viewer: Arc<Viewer>,
        terms: watch::Receiver<Terms>,
        resume: &Resume,
    ) -> (Self, Option<ResetReason>) {
        let mut logs = server.logs.clone();
        let log = Arc::clone(&logs.borrow_and_update());
        let mut grants = viewer.watch();
        let current = Arc::clone(&grants.borrow_and_update());
        let wanted = terms.borrow().wanted.clone();
        // They may have gone since the client was admitted, and nothing else would tell that.
        if !wanted.may_connect(&current.value) {
            grants.mark_changed();
        }
        let types = wanted.types(&server.access.policy().value, &current.value);
        // The bell first, the position second: what is appended between the two rings.
        let subscription = log.subscribe(wanted.interest(&current.value));
        let place = Place::at_head(&log);
        let outlook = Outlook::new(viewer.watch(), terms.clone());
        let mut reader = Self {
            server,
            log,
            logs,
            viewer,
            grants,
            terms,
            outlook,
            types,
            subscription,
            place,
            rows: FIRST_ROWS,
            behind: None,
            expired: false,
        };
        let reset = match resume {
            Resume::Head => None,
            Resume::After(cursor) => reader.go_on_after(cursor),
            Resume::Reset(reason) => Some(*reason),
        };
        (reader, reset)
    }

    /// Goes on after what the client has seen, if that is all in this life of the database; otherwise from the head.
    pub(super) fn go_on_after(&mut self, cursor: &Cursor) -> Option<ResetReason> {
        let Some(cursor) = self.log.epochs().carry(cursor) else { return Some(ResetReason::CursorAhead) };
        self.place = Place::after(&self.log, cursor);
        self.server.metrics.replay(if self.place.is_in_outbox() { "outbox" } else { "log" });
        self.note_behind();
        None
    }

    /// Whether it cannot go on as it is: the database has begun another life, and the log with it, or what is to be read next has expired.
    pub(super) fn is_outlived(&self) -> bool {
        self.expired || self.logs.has_changed().unwrap_or(false)
    }

    /// Leaves for the head if what is to be read next has expired. Follows the database into another life, if it has begun one; `told` is what the client has seen of what it was told. The reader may be further, past events
    /// that were not for it.
    pub(super) fn follow_log(&mut self, told: &Cursor) -> Option<NewLife> {
        if !self.is_outlived() {
            return None;
        }
        self.log = Arc::clone(&self.logs.borrow_and_update());
        self.outlook.leave_log();
        self.place = Place::at_head(&self.log);
        self.note_behind();
        if std::mem::take(&mut self.expired) {
            return Some(NewLife::Reset(ResetReason::HistoryExpired));
        }
        Some(self.go_on_after(told).map_or(NewLife::Continued, NewLife::Reset))
    }

    /// What the client has seen when it has been told everything that was read.
    pub(super) fn cursor(&self) -> Arc<Cursor> {
        self.place.cursor()
    }

    /// Whether it reads from the outbox.
    pub(super) fn is_behind(&self) -> bool {
        self.place.is_in_outbox()
    }

    /// Counts the client among those who read from the outbox while it does.
    pub(super) fn note_behind(&mut self) {
        self.behind = self.is_behind().then(|| Raised::new(&self.server.metrics.connections_behind));
    }

    /// The types that are sent; sorted.
    pub(super) fn types(&self) -> &[Box<str>] {
        &self.types
    }

    /// The organizations whose events are sent; none for platform staff, who are in all.
    pub(super) fn organizations(&self) -> Option<Vec<Box<str>>> {
        self.terms.borrow().wanted.organizations(&self.grants.borrow().value)
    }

    /// The next chunk; none when everything has been read, or when access has to be followed first.
    ///
    /// # Errors
    /// As [`Reader::next`].
    pub(super) async fn next_chunk(&mut self) -> Result<Option<Chunk>, postgres::Error> {
        // What it was rung for is read now.
        self.subscription.bell().hear();
        match self.next_shared() {
            Shared::Chunk(chunk) => Ok(Some(chunk)),
            Shared::Nothing => Ok(None),
            Shared::Apart => self.next_own_chunk().await,
        }
    }

    /// The next chunk, read by this client alone: up to where the log is now, also if that brings nothing but a cursor.
    ///
    /// # Errors
    /// As [`Reader::next`].
    pub(super) async fn next_own_chunk(&mut self) -> Result<Option<Chunk>, postgres::Error> {
        let piece = self.next(CHUNK_BYTES).await?;
        Ok(piece.map(|Piece { events, cursor }| {
            let frames: Vec<Bytes> = events.iter().map(Visible::frame).collect();
            Chunk::of(&frames, events.first().map(Visible::written_at), cursor)
        }))
    }

    /// What comes next for this client and all who see the same.
    fn next_shared(&mut self) -> Shared {
        let Some(mut from) = self.place.in_log() else { return Shared::Apart };
        while from != self.log.end() {
            let policy = || self.server.access.policy();
            let Some(stretch) = self.outlook.stretch(from, &self.server.views, &self.log, policy) else {
                return Shared::Apart;
            };
            if self.access_has_changed() {
                return Shared::Nothing;
            }
            if matches!(stretch.content, Content::Personal) {
                return Shared::Apart;
            }
            from = stretch.to;
            self.place.log_read(from, Arc::clone(&stretch.cursor));
            if let Content::Shared(chunk) = &stretch.content {
                return Shared::Chunk(chunk.clone());
            }
        }
        Shared::Nothing
    }

    /// The next piece, of not much more than `max_bytes`; none when everything has been read, or when access has to be followed first.
    ///
    /// # Errors
    /// When history could not be read. Nothing is lost: the next call reads the same again.
    pub(super) async fn next(&mut self, max_bytes: usize) -> Result<Option<Piece>, postgres::Error> {
        loop {
            if self.place.is_in_outbox() {
                // Large, and seldom needed: streams that are up to date have no room for it.
                let more = Box::pin(self.next_page()).await?;
                if more.is_some() || self.expired || self.access_has_changed() {
                    return Ok(more);
                }
            } else {
                let more = self.next_in_log(max_bytes);
                // Without more it may have fallen off the log.
                if more.is_some() || !self.place.is_in_outbox() {
                    return Ok(more);
                }
            }
        }
    }

    /// What waits in the log for this client, until there is something or nothing more.
    fn next_in_log(&mut self, max_bytes: usize) -> Option<Piece> {
        loop {
            let before = self.place.clone();
            let read = self.place.read_log(&self.log, self.subscription.interest(), max_bytes);
            let Some((entries, at_end)) = read else {
                self.server.metrics.fell_behind.inc();
                self.note_behind();
                return None;
            };
            if self.access_has_changed() {
                self.place = before;
                return None;
            }
            let events = self.visible(entries);
            if !events.is_empty() {
                return Some(Piece { events, cursor: self.cursor() });
            }
            if at_end {
                return None;
            }
        }
    }

    /// Those of these entries that are for this client. Judged by the grants of now, which are at least as new as the entries; and by the terms of now, since what was
    /// asked for before an entry was in the log is in them.
    pub(super) fn visible(&mut self, entries: Vec<Arc<Entry>>) -> Vec<Visible> {
        if entries.is_empty() {
            return Vec::new();
        }
        let view = self.outlook.view(&self.server.views, &self.log, self.server.access.policy());
        view.visible(entries, &self.viewer.user_id)
    }

    /// The client has asked for other types: it knows them.
    pub(super) fn follow_terms(&mut self) {
        self.types = self.terms.borrow().wanted.types(&self.server.access.policy().value, &self.grants.borrow().value);
    }

    /// Whether the client may see more or less than was last looked for. What has just been read may then lack events that it may see since, and is read again once the change
    /// has been followed. Asked after reading: whatever was read was published after the grants that it is judged by.
    pub(super) fn access_has_changed(&self) -> bool {
        self.grants.has_changed().unwrap_or(false) && {
            let grants = Arc::clone(&self.grants.borrow());
            let wanted = &self.terms.borrow().wanted;
            wanted.types(&self.server.access.policy().value, &grants.value) != self.types
                || wanted.interest(&grants.value) != *self.subscription.interest()
        }
    }

    /// Follows a change of grants or policy, if there was one that matters to the client.
    pub(super) fn follow_access(&mut self) -> Option<AccessChange> {
        if !self.grants.has_changed().unwrap_or(false) {
            return None;
        }
        let current = Arc::clone(&self.grants.borrow_and_update());
        let grants = &current.value;
        let (types, interest, may_stay) = {
            let wanted = &self.terms.borrow().wanted;
            let types = wanted.types(&self.server.access.policy().value, grants);
            (types, wanted.interest(grants), wanted.may_connect(grants))
        };
        let unchanged = types == self.types && interest == *self.subscription.interest();
        if unchanged && may_stay {
            return None;
        }
        self.types = types;
        self.subscription.set_interest(interest);
        Some(if may_stay { AccessChange::Changed } else { AccessChange::Revoked })
    }

    /// What may give it something to do beside new events: completes when the grants or the log are others than it has followed.
    pub(super) fn changes(&self) -> impl Future<Output = ()> + Send + use<> {
        let (mut grants, mut logs) = (self.grants.clone(), self.logs.clone());
        async move {
            tokio::select! {
                Ok(()) = grants.changed() => {}
                // There is no other log to come when the tailer has ended.
                Ok(()) = logs.changed() => {}
                else => std::future::pending().await,
            }
        }
    }

    /// Completes when there may be more to read, or access has changed.
    pub(super) async fn woken(&self) {
        tokio::select! {
            () = self.subscription.bell().rung() => {}
            () = self.changes() => {}
        }
    }
}
