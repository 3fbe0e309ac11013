//! The stream: what a reader finds, as Server-Sent Events, one chunk of bytes for each write, and what there is to say of the stream itself.

use std::{
    future::poll_fn,
    pin::pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{Stream, stream};
use jiff::Timestamp;
use tokio::{sync::watch, time::Instant};
use tracing::{Instrument, Span, debug, debug_span, warn};

use super::{
    Resume, Server,
    chunk::{CHUNK_BYTES, Chunk, Said, heartbeat},
    expiry::Expiry,
    goodbye::{closing, ends_at},
    isolation::isolated,
    occasions::Occasions,
    pace::Pace,
    reader::{AccessChange, NewLife, Reader},
};
use crate::{
    connections::{Described, Entered, Terms},
    cursor::Cursor,
    gzip::Gzip,
    metrics::OpenConnection,
    sse::{self, CloseReason, ConnectionStatus, ResetReason},
    tailer,
};

/// What native clients wait before they reconnect, when all is well.
const RETRY: Duration = Duration::from_millis(1_500);

/// How long to wait before history is asked for again when the database failed.
const HISTORY_RETRY: Duration = Duration::from_secs(1);

/// One client's stream.
pub struct Session {
    server: Arc<Server>,
    reader: Reader,
    tailer: watch::Receiver<tailer::Status>,
    /// What the client was last told of it.
    told: tailer::Status,
    /// What it has seen when it has read all that was handed out.
    written: Arc<Cursor>,
    /// What is sent and until when, which the client may change.
    terms: watch::Receiver<Terms>,
    expiry: Expiry,
    /// When the stream ends by itself.
    ends_at: Option<Instant>,
    next_heartbeat: Instant,
    occasions: Occasions,
    opening: Option<Bytes>,
    closed: bool,
    /// Of a client that takes it.
    gzip: Option<Box<Gzip>>,
    /// Whether everything had been read once, and since then nothing had to be read from the outbox.
    live: bool,
    pace: Pace,
    /// Whether the last write was a large one, after which there may be more to come.
    was_large: bool,
    entered: Entered,
    counted: OpenConnection,
    span: Span,
}

impl Session {
    /// Opens a stream that has been entered: from here on nothing that its user may see is missed.
    #[must_use]
    pub fn open(server: Arc<Server>, entered: Entered, resume: &Resume) -> Self {
        let connection = Arc::clone(entered.connection());
        let terms = connection.terms();
        let expires_at = terms.borrow().expires_at;
        let (reader, reset) =
            Reader::open(Arc::clone(&server), Arc::clone(&connection.viewer), connection.terms(), resume);
        let mut tailer = server.tailer.clone();
        // It may not be as a client takes it to be.
        tailer.mark_changed();
        let mut session = Self {
            written: reader.cursor(),
            reader,
            tailer,
            told: tailer::Status::Live,
            terms,
            expiry: Expiry::new(expires_at),
            ends_at: server.max_stream.and_then(ends_at),
            next_heartbeat: Instant::now(),
            occasions: Occasions::default(),
            opening: None,
            closed: false,
            gzip: None,
            live: false,
            pace: Pace::new(server.writes_per_second),
            was_large: false,
            counted: server.metrics.open_connection(),
            span: debug_span!(parent: None, "stream", connection = %connection.id, user = %connection.viewer.user_id),
            entered,
            server,
        };
        reset.inspect(|reason| session.server.metrics.reset(reason.as_str()));
        session.beat(Instant::now());
        session.opening = Some(session.opening_frames(&connection.id, reset));
        debug!(parent: &session.span, cursor = %session.reader.cursor(), "stream opened");
        session
    }

    fn opening_frames(&self, connection_id: &str, reset: Option<ResetReason>) -> Bytes {
        let connected = ConnectionStatus::Connected {
            connection_id,
            subscriptions: self.reader.types(),
            organizations: self.reader.organizations(),
        };
        let cursor = self.reader.cursor();
        let mut opening = sse::retry_line(RETRY);
        opening.push_str(&sse::status_frame(&connected, Some(&cursor), Timestamp::now()));
        if let Some(reason) = reset {
            opening.push_str(&sse::status_frame(&ConnectionStatus::Reset { reason }, Some(&cursor), Timestamp::now()));
        }
        opening.into()
    }

    /// The bytes of the stream, a chunk for each write.
    pub fn into_stream(self) -> impl Stream<Item = Bytes> + Send {
        let is_zipped = self.gzip.is_some();
        // On the heap, or there would be room for two: the one that rests and the one that is at work.
        let chunks = stream::unfold(Box::new(self), async |mut session| {
            let span = session.span.clone();
            session.next().instrument(span).await.map(|chunk| (chunk, session))
        });
        isolated(chunks, is_zipped)
    }

    /// As gzip from the first byte on; see `src/gzip.rs`.
    #[must_use]
    pub fn zipped(self) -> Self {
        Self { gzip: Some(Box::default()), ..self }
    }

    /// The next chunk to write; none when the stream has ended.
    pub async fn next(&mut self) -> Option<Bytes> {
        let said = self.say().await?;
        let has_events = matches!(said, Said::Shared(_));
        let bytes = match &mut self.gzip {
            None => said.plain(),
            Some(gzip) => said.zipped(gzip, self.closed),
        };
        if has_events {
            self.server.metrics.sent_bytes.inc_by(bytes.len() as u64);
        }
        Some(bytes)
    }

    async fn say(&mut self) -> Option<Said> {
        self.entered.connection().mark_taken();
        if let Some(opening) = self.opening.take() {
            return Some(opening.into());
        }
        if self.closed {
            return None;
        }
        loop {
            let now = Instant::now();
            if let Some(ending) = self.ending(now) {
                return Some(self.close(ending).into());
            }
            if let Some(change) = self.reader.follow_access() {
                return Some(self.tell_access(change).into());
            }
            if let Some(new_life) = self.reader.follow_log(&self.written) {
                return Some(self.tell_new_life(new_life).into());
            }
            if let Some(chunk) = self.follow_terms() {
                return Some(chunk.into());
            }
            if let Some(chunk) = self.tell_health().or_else(|| self.tell_expiry(now)) {
                return Some(chunk.into());
            }
            if self.is_paced(now).await {
                continue;
            }
            let is_silent = now >= self.next_heartbeat;
            let read = if is_silent { self.reader.next_own_chunk().await } else { self.reader.next_chunk().await };
            // What was read meanwhile may be of either life, or by grants that nobody keeps fresh any more.
            if self.reader.is_outlived() || self.reader.viewer.is_disconnected() {
                continue;
            }
            match read {
                Ok(Some(chunk)) => return Some(self.tell(chunk, now)),
                // Only now, when the log has just been read: the heartbeat is to say how far.
                _ if is_silent => {
                    self.live |= read.is_ok();
                    return Some(self.heartbeat().into());
                }
                Ok(None) => {
                    self.live = true;
                    self.wait().await;
                }
                Err(error) => {
                    warn!(%error, "history could not be read; trying again");
                    tokio::time::sleep(HISTORY_RETRY.mul_f64(0.5 + fastrand::f64())).await;
                }
            }
        }
    }

    fn tell(&mut self, chunk: Chunk, now: Instant) -> Said {
        let Chunk { bytes, events, oldest, cursor, .. } = &chunk;
        self.beat(now);
        self.written = Arc::clone(cursor);
        self.pace.note_write(now);
        self.was_large = bytes.len() >= CHUNK_BYTES / 2;
        let metrics = &self.server.metrics;
        metrics.writes.inc();
        metrics.events_sent.inc_by(*events as u64);
        self.live &= !self.reader.is_behind();
        if let (true, &Some(oldest)) = (self.live, oldest) {
            metrics.delivery_lag_seconds.observe_since(oldest);
        }
        Said::Shared(chunk)
    }

    /// Waits for the stream's turn, if it has had so many that what there is is better told in one piece. Whoever has much to catch up on is told as much as goes into a
    /// write anyway.
    async fn is_paced(&mut self, now: Instant) -> bool {
        if self.was_large {
            return false;
        }
        let Some(turn) = self.pace.wait_until(now) else { return false };
        self.server.metrics.paced_writes.inc();
        let mut turn = pin!(tokio::time::sleep_until(turn));
        poll_fn(|context| match turn.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(()),
            Poll::Pending => self.poll_occasions(context),
        })
        .await;
        true
    }

    /// Waits until there may be something to say.
    async fn wait(&mut self) {
        poll_fn(|context| match self.reader.subscription.bell().poll_rung(context) {
            Poll::Ready(()) => Poll::Ready(()),
            Poll::Pending => self.poll_occasions(context),
        })
        .await;
    }

    /// Ready when there may be something else to say than new events.
    fn poll_occasions(&mut self, context: &Context<'_>) -> Poll<()> {
        let deadline = self.next_deadline();
        let Self { occasions, reader, tailer, terms, server, .. } = self;
        occasions.poll(context, deadline, || {
            let changes = reader.changes();
            let (mut tailer, mut terms, shutdown) = (tailer.clone(), terms.clone(), server.shutdown.clone());
            async move {
                tokio::select! {
                    () = changes => {}
                    // Without a tailer there is nothing more to be said of it.
                    Ok(()) = tailer.changed() => {}
                    Ok(()) = terms.changed() => {}
                    () = tokio::time::sleep_until(deadline) => {}
                    () = shutdown.cancelled() => {}
                }
            }
        })
    }

    fn next_deadline(&self) -> Instant {
        let next = self.next_heartbeat.min(self.expiry.next());
        self.ends_at.map_or(next, |end| next.min(end))
    }

    /// Follows what the client has changed. If it asked for what it has not had, the stream goes back to there: its cursor is told first, since a client may drop
    /// what its cursor contains.
    fn follow_terms(&mut self) -> Option<Bytes> {
        if !self.terms.has_changed().unwrap_or(false) {
            return None;
        }
        let expires_at = self.terms.borrow_and_update().expires_at;
        self.expiry.renew(expires_at);
        self.reader.follow_terms();
        let place = self.entered.connection().go_back(&self.reader.cursor(), self.reader.log.epochs())?;
        // It is one of this life.
        let _ = self.reader.go_on_after(&place);
        self.live = false;
        Some(self.heartbeat())
    }

    /// Before the first event of another life comes its number: clients may know the ids of its events as those of others.
    fn tell_new_life(&mut self, new_life: NewLife) -> Bytes {
        match new_life {
            NewLife::Continued => self.heartbeat(),
            NewLife::Reset(reason) => {
                self.server.metrics.reset(reason.as_str());
                self.written = self.reader.cursor();
                let reset = ConnectionStatus::Reset { reason };
                sse::status_frame(&reset, Some(&self.written), Timestamp::now()).into()
            }
        }
    }

    fn heartbeat(&mut self) -> Bytes {
        self.beat(Instant::now());
        self.written = self.reader.cursor();
        heartbeat(&self.written)
    }

    fn tell_access(&mut self, change: AccessChange) -> Bytes {
        let changed = ConnectionStatus::AccessChanged {
            subscriptions: self.reader.types(),
            organizations: self.reader.organizations(),
        };
        let mut frames = sse::status_frame(&changed, None, Timestamp::now());
        let described =
            Described { organizations: self.reader.organizations(), event_types: self.reader.types().to_vec() };
        self.entered.connection().describe(described);
        if change == AccessChange::Revoked {
            self.end(CloseReason::AccessRevoked);
            frames.push_str(&closing(CloseReason::AccessRevoked));
        } else {
            self.entered.connection().follow_access(&self.server.access);
        }
        frames.into()
    }

    /// Says that the database was lost, or that it is back.
    fn tell_health(&mut self) -> Option<Bytes> {
        if !self.tailer.has_changed().unwrap_or(true) {
            return None;
        }
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

    /// Says that the token will expire soon.
    fn tell_expiry(&mut self, now: Instant) -> Option<Bytes> {
        let expires_at = self.expiry.take_notice(now)?;
        let expiring = ConnectionStatus::TokenExpiring { expires_at };
        Some(sse::status_frame(&expiring, None, Timestamp::now()).into())
    }

    fn ending(&self, now: Instant) -> Option<CloseReason> {
        if self.server.shutdown.is_cancelled() {
            Some(CloseReason::Unavailable)
        } else if self.reader.viewer.is_disconnected() {
            Some(CloseReason::Disconnected)
        } else if self.expiry.is_over(now) {
            Some(CloseReason::TokenExpired)
        } else if self.ends_at.is_some_and(|end| now >= end) {
            Some(CloseReason::MaxStream)
        } else {
            None
        }
    }

    fn close(&mut self, reason: CloseReason) -> Bytes {
        self.end(reason);
        closing(reason).into()
    }

    fn end(&mut self, reason: CloseReason) {
        self.closed = true;
        self.counted.close(reason.as_str());
        self.entered.connection().note_end(reason.as_str());
    }

    /// Puts the next heartbeat off: clients that connected together should not be written to together for ever.
    fn beat(&mut self, now: Instant) {
        self.next_heartbeat = now + self.server.heartbeat.mul_f64(0.9 + fastrand::f64() / 5.0);
    }
}
