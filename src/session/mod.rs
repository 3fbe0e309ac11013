//! One client: replay → splice → live.
//!
//! A session is a position in the log and a cursor. It reads what is filed under its organizations, keeps what its user may see, and hands out one chunk of
//! bytes for each write: all frames that wait, the last of them with the cursor. When its position has left the log (a cursor from yesterday, a reader slower
//! than the log is long), it reads pages of the outbox up to where the log was when it began, and then goes on from there.

mod history;
mod seen;
mod wanted;

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, stream};
use jiff::Timestamp;
use tokio::{sync::watch, time::Instant};
use tokio_util::sync::CancellationToken;
use tracing::debug;

pub use self::wanted::Wanted;
use self::{history::History, seen::Seen};
use crate::{
    access::{Access, Versioned, Viewer, token::Identity},
    cursor::Cursor,
    log::{Entry, Log, Position, Read, Subscription},
    policy::Grants,
    postgres::Database,
    sse::{self, CloseReason, ConnectionStatus, ResetReason},
    tailer,
};

/// About as much as is written at once: more wins nothing, and every slow client holds one such piece.
const CHUNK_BYTES: usize = 64 * 1024;

/// What native clients wait before they reconnect, when all is well.
const RETRY: Duration = Duration::from_millis(1_500);

/// When the server goes away, clients come back within this time, each at its own moment.
const RETRY_SPREAD: Duration = Duration::from_secs(4);

/// What every session needs of the server.
pub struct Server {
    /// Who may see what.
    pub access: Arc<Access>,
    /// Recent events.
    pub log: Arc<Log>,
    /// For history that has left the log.
    pub database: Database,
    /// Whether the log is up to date.
    pub tailer: watch::Receiver<tailer::Status>,
    /// How often an otherwise silent stream says something.
    pub heartbeat: Duration,
    /// Ends all streams.
    pub shutdown: CancellationToken,
}

/// Where a client wants to go on.
#[derive(Clone, Debug)]
pub enum Resume {
    /// From now on.
    Head,
    /// After what it has seen.
    After(Cursor),
    /// It sent something of no use: from now on, but it must be told to fetch anew.
    Reset(ResetReason),
}

/// One client's stream.
pub struct Session {
    server: Arc<Server>,
    viewer: Arc<Viewer>,
    grants: watch::Receiver<Arc<Versioned<Grants>>>,
    tailer: watch::Receiver<tailer::Status>,
    /// What the client was last told of it.
    told: tailer::Status,
    wanted: Wanted,
    /// The types that are sent: wanted and visible; sorted.
    types: Vec<Box<str>>,
    subscription: Subscription,
    position: Position,
    /// What the client has seen when it has read everything handed out.
    seen: Seen,
    history: Option<History>,
    expires_at: Instant,
    next_heartbeat: Instant,
    opening: Option<Bytes>,
    closed: bool,
}

impl Session {
    /// Opens a stream: from here on nothing that `identity` may see is missed.
    #[must_use]
    pub fn open(server: Arc<Server>, identity: &Identity, viewer: Arc<Viewer>, wanted: Wanted, resume: Resume) -> Self {
        let mut grants = viewer.watch();
        let current = Arc::clone(&grants.borrow_and_update());
        let types = wanted.types(&server.access.policy().value, &current.value);
        // The bell first, the position second: what is appended between the two rings.
        let subscription = server.log.subscribe(wanted.interest(&current.value));
        let (head, end) = server.log.head();
        let connection_id = connection_id();
        let expires_in = identity.expires_at.duration_since(SystemTime::now()).unwrap_or_default();
        let mut session = Self {
            viewer,
            grants,
            tailer: server.tailer.clone(),
            told: tailer::Status::Live,
            wanted,
            types,
            subscription,
            position: end,
            seen: Seen { log: head, ahead: None },
            history: None,
            expires_at: Instant::now() + expires_in,
            next_heartbeat: Instant::now(),
            opening: None,
            closed: false,
            server,
        };
        let mut reset = None;
        match resume {
            Resume::Head => {}
            Resume::Reset(reason) => reset = Some(reason),
            Resume::After(cursor) => session.resume_after(cursor),
        }
        session.beat();
        session.opening = Some(session.opening_frames(&connection_id, reset));
        debug!(connection = %connection_id, user = %session.viewer.user_id, cursor = %session.seen.cursor(), "stream opened");
        session
    }

    fn resume_after(&mut self, cursor: Cursor) {
        if let Some(position) = self.server.log.position_after(&cursor) {
            self.position = position;
            self.seen = Seen { log: Arc::default(), ahead: Some(cursor) };
        } else {
            self.seen = Seen { log: Arc::new(cursor), ahead: None };
            self.read_history();
        }
    }

    fn opening_frames(&self, connection_id: &str, reset: Option<ResetReason>) -> Bytes {
        let grants = self.grants.borrow();
        let connected = ConnectionStatus::Connected {
            connection_id,
            subscriptions: &self.types,
            organizations: self.wanted.organizations(&grants.value),
        };
        let cursor = self.seen.cursor();
        let mut opening = sse::retry_line(RETRY);
        opening.push_str(&sse::status_frame(&connected, Some(&cursor), Timestamp::now()));
        if let Some(reason) = reset {
            opening.push_str(&sse::status_frame(&ConnectionStatus::Reset { reason }, Some(&cursor), Timestamp::now()));
        }
        opening.into()
    }

    /// The bytes of the stream, a chunk for each write.
    pub fn into_stream(self) -> impl Stream<Item = Bytes> + Send {
        stream::unfold(self, async |mut session| session.next().await.map(|chunk| (chunk, session)))
    }

    /// The next chunk to write; none when the stream has ended.
    pub async fn next(&mut self) -> Option<Bytes> {
        if let Some(opening) = self.opening.take() {
            return Some(opening);
        }
        if self.closed {
            return None;
        }
        loop {
            if let Some(ending) = self.ending() {
                return Some(self.close(ending));
            }
            if self.grants.has_changed().unwrap_or(false)
                && let Some(chunk) = self.apply_access()
            {
                return Some(chunk);
            }
            if let Some(chunk) = self.tell_health() {
                return Some(chunk);
            }
            let chunk = if self.history.is_some() { self.next_page().await } else { self.next_live() };
            if let Some(chunk) = chunk {
                self.beat();
                return Some(chunk);
            }
            // Only now, when the log has just been read: the heartbeat is to say how far.
            if Instant::now() >= self.next_heartbeat {
                self.beat();
                return Some(self.heartbeat());
            }
            if self.history.is_none() {
                self.wait().await;
            }
        }
    }

    /// Waits until there may be something to say.
    async fn wait(&mut self) {
        tokio::select! {
            () = self.subscription.woken() => {}
            _ = self.grants.changed() => self.grants.mark_changed(),
            _ = self.tailer.changed() => {}
            () = tokio::time::sleep_until(self.next_heartbeat.min(self.expires_at)) => {}
            () = self.server.shutdown.cancelled() => {}
        }
    }

    /// What waits in the log for this client, until there is something or nothing more.
    fn next_live(&mut self) -> Option<Bytes> {
        loop {
            let read = self.server.log.read(self.position, self.subscription.interest(), CHUNK_BYTES);
            let Read::Entries { entries, cursor, position, at_end } = read else {
                self.read_history();
                return None;
            };
            let frames = self.frames(&entries);
            self.position = position;
            self.seen.log_reached(cursor);
            if !frames.is_empty() {
                return Some(chunk(&frames, &self.seen.cursor()));
            }
            if at_end {
                return None;
            }
        }
    }

    /// The frames of those entries that are for this client. Judged by the grants of now, which are at least as new as the entries.
    fn frames(&self, entries: &[Arc<Entry>]) -> Vec<Bytes> {
        if entries.is_empty() {
            return Vec::new();
        }
        let grants = Arc::clone(&self.grants.borrow());
        let policy = self.server.access.policy();
        entries
            .iter()
            .filter(|entry| {
                self.wants(entry) && policy.value.may_see(&entry.event, &self.viewer.user_id, &grants.value)
            })
            .map(|entry| entry.frame(&policy, policy.value.redaction_mask(&entry.event, &grants.value)))
            .collect()
    }

    fn wants(&self, entry: &Entry) -> bool {
        let event = &entry.event;
        let of_organization = match (&self.wanted.organization, &event.organization_id) {
            (Some(wanted), Some(organization)) => wanted == organization,
            _ => true,
        };
        of_organization && self.types.binary_search(&event.event_type).is_ok() && !self.seen.is_ahead_by(event.id)
    }

    /// Follows a change of grants or policy; a frame if it changes what will be sent.
    fn apply_access(&mut self) -> Option<Bytes> {
        let current = Arc::clone(&self.grants.borrow_and_update());
        let grants = &current.value;
        let types = self.wanted.types(&self.server.access.policy().value, grants);
        let interest = self.wanted.interest(grants);
        let may_stay = self.wanted.may_connect(grants);
        let unchanged = types == self.types && interest == *self.subscription.interest();
        if unchanged && may_stay {
            return None;
        }
        self.types = types;
        self.subscription.set_interest(interest);
        let changed = ConnectionStatus::AccessChanged {
            subscriptions: &self.types,
            organizations: self.wanted.organizations(grants),
        };
        let mut frames = sse::status_frame(&changed, None, Timestamp::now());
        if !may_stay {
            frames.push_str(&closing(CloseReason::AccessRevoked));
            self.closed = true;
        }
        Some(frames.into())
    }

    /// Says that the database was lost, or that it is back.
    fn tell_health(&mut self) -> Option<Bytes> {
        let current = *self.tailer.borrow_and_update();
        if current == std::mem::replace(&mut self.told, current) {
            return None;
        }
        let status = match current {
            tailer::Status::CatchingUp => ConnectionStatus::Degraded,
            tailer::Status::Live => ConnectionStatus::Recovered,
        };
        Some(sse::status_frame(&status, None, Timestamp::now()).into())
    }

    fn ending(&self) -> Option<CloseReason> {
        if self.server.shutdown.is_cancelled() {
            Some(CloseReason::Unavailable)
        } else if Instant::now() >= self.expires_at {
            Some(CloseReason::TokenExpired)
        } else {
            None
        }
    }

    fn close(&mut self, reason: CloseReason) -> Bytes {
        self.closed = true;
        closing(reason).into()
    }

    fn heartbeat(&self) -> Bytes {
        chunk(&[Bytes::from_static(sse::HEARTBEAT.as_bytes())], &self.seen.cursor())
    }

    /// Puts the next heartbeat off: clients that connected together should not be written to together for ever.
    fn beat(&mut self) {
        self.next_heartbeat = Instant::now() + self.server.heartbeat.mul_f64(0.9 + fastrand::f64() / 5.0);
    }
}

/// What is said to a client that cannot be served now: it comes back by itself, at a moment of its own.
#[must_use]
pub fn unavailable() -> String {
    closing(CloseReason::Unavailable)
}

fn closing(reason: CloseReason) -> String {
    let retry = RETRY.mul_f64(0.5) + RETRY_SPREAD.mul_f64(fastrand::f64());
    sse::retry_line(retry) + &sse::status_frame(&ConnectionStatus::Closing { reason }, None, Timestamp::now())
}

/// All frames in one piece, the cursor with the last: then all that it claims has been written.
fn chunk(frames: &[Bytes], cursor: &Cursor) -> Bytes {
    let id = sse::id_line(cursor);
    let mut chunk = BytesMut::with_capacity(id.len() + frames.iter().map(Bytes::len).sum::<usize>());
    if let Some((last, others)) = frames.split_last() {
        for frame in others {
            chunk.extend_from_slice(frame);
        }
        chunk.extend_from_slice(id.as_bytes());
        chunk.extend_from_slice(last);
    }
    chunk.freeze()
}

/// Cannot be guessed, though knowing one is of no use to anybody but its owner.
fn connection_id() -> String {
    format!("{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..))
}
