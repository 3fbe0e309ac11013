//! The stream: what a reader finds, as Server-Sent Events, one chunk of bytes for each write. All frames that wait, the last of them with the cursor.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt, stream};
use jiff::Timestamp;
use tokio::{sync::watch, time::Instant};
use tracing::{Instrument, Span, debug, debug_span, error, warn};

use super::{
    Resume, Server,
    expiry::Expiry,
    goodbye::{closing, ends_at, unavailable},
    pace::Pace,
    reader::{AccessChange, NewLife, Piece, Reader, Visible},
};
use crate::{
    connections::{Described, Entered, Terms},
    cursor::Cursor,
    metrics::OpenConnection,
    sse::{self, CloseReason, ConnectionStatus, ResetReason},
    tailer,
};

/// About as much as is written at once: more wins nothing, and every slow client holds one such piece.
const CHUNK_BYTES: usize = 64 * 1024;

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
    opening: Option<Bytes>,
    closed: bool,
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
        let mut session = Self {
            written: reader.cursor(),
            reader,
            tailer: server.tailer.clone(),
            told: tailer::Status::Live,
            terms,
            expiry: Expiry::new(expires_at),
            ends_at: server.max_stream.and_then(ends_at),
            next_heartbeat: Instant::now(),
            opening: None,
            closed: false,
            live: false,
            pace: Pace::new(server.writes_per_second),
            was_large: false,
            counted: server.metrics.open_connection(),
            span: debug_span!(parent: None, "stream", connection = %connection.id, user = %connection.viewer.user_id),
            entered,
            server,
        };
        reset.inspect(|reason| session.server.metrics.reset(reason.as_str()));
        session.beat();
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
        // On the heap, or there would be room for two: the one that rests and the one that is at work.
        isolated(stream::unfold(Box::new(self), async |mut session| {
            let span = session.span.clone();
            session.next().instrument(span).await.map(|chunk| (chunk, session))
        }))
    }

    /// The next chunk to write; none when the stream has ended.
    pub async fn next(&mut self) -> Option<Bytes> {
        self.entered.connection().mark_taken();
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
            if let Some(change) = self.reader.follow_access() {
                return Some(self.tell_access(change));
            }
            if let Some(new_life) = self.reader.follow_log(&self.written) {
                return Some(self.tell_new_life(new_life));
            }
            if let Some(chunk) = self.follow_terms() {
                return Some(chunk);
            }
            if let Some(chunk) = self.tell_health().or_else(|| self.tell_expiry()) {
                return Some(chunk);
            }
            if self.is_paced().await {
                continue;
            }
            let read = self.reader.next(CHUNK_BYTES).await;
            // What was read meanwhile may be of either life, or by grants that nobody keeps fresh any more.
            if self.reader.is_outlived() || self.reader.viewer.is_disconnected() {
                continue;
            }
            if let Ok(Some(piece)) = &read {
                self.beat();
                self.written = Arc::clone(&piece.cursor);
                return Some(self.tell(piece));
            }
            self.live |= read.is_ok();
            // Only now, when the log has just been read: the heartbeat is to say how far.
            if Instant::now() >= self.next_heartbeat {
                return Some(self.heartbeat());
            }
            match read {
                Ok(_) => self.wait().await,
                Err(error) => {
                    warn!(%error, "history could not be read; trying again");
                    tokio::time::sleep(HISTORY_RETRY.mul_f64(0.5 + fastrand::f64())).await;
                }
            }
        }
    }

    fn tell(&mut self, piece: &Piece) -> Bytes {
        let chunk = chunk(piece);
        self.pace.note_write(Instant::now());
        self.was_large = chunk.len() >= CHUNK_BYTES / 2;
        let metrics = &self.server.metrics;
        metrics.writes.inc();
        metrics.sent_bytes.inc_by(chunk.len() as u64);
        metrics.events_sent.inc_by(piece.events.len() as u64);
        self.live &= !self.reader.is_behind();
        if let (true, Some(oldest)) = (self.live, piece.events.first()) {
            metrics.delivery_lag_seconds.observe_since(oldest.written_at());
        }
        chunk
    }

    /// Waits for the stream's turn, if it has had so many that what there is is better told in one piece. Whoever has much to catch up on is told as much as goes into a
    /// write anyway.
    async fn is_paced(&self) -> bool {
        if self.was_large {
            return false;
        }
        let Some(turn) = self.pace.wait_until(Instant::now()) else { return false };
        self.server.metrics.paced_writes.inc();
        tokio::select! {
            () = tokio::time::sleep_until(turn.min(self.next_deadline())) => {}
            () = self.server.shutdown.cancelled() => {}
        }
        true
    }

    /// Waits until there may be something to say.
    async fn wait(&mut self) {
        let deadline = self.next_deadline();
        tokio::select! {
            () = self.reader.woken() => {}
            // Without a tailer there is nothing more to be said of it.
            Ok(()) = self.tailer.changed() => {}
            // Followed elsewhere.
            Ok(()) = self.terms.changed() => self.terms.mark_changed(),
            () = tokio::time::sleep_until(deadline) => {}
            () = self.server.shutdown.cancelled() => {}
        }
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
        self.beat();
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
    fn tell_expiry(&mut self) -> Option<Bytes> {
        let expires_at = self.expiry.take_notice(Instant::now())?;
        let expiring = ConnectionStatus::TokenExpiring { expires_at };
        Some(sse::status_frame(&expiring, None, Timestamp::now()).into())
    }

    fn ending(&self) -> Option<CloseReason> {
        if self.server.shutdown.is_cancelled() {
            Some(CloseReason::Unavailable)
        } else if self.reader.viewer.is_disconnected() {
            Some(CloseReason::Disconnected)
        } else if self.expiry.is_over(Instant::now()) {
            Some(CloseReason::TokenExpired)
        } else if self.ends_at.is_some_and(|end| Instant::now() >= end) {
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
    fn beat(&mut self) {
        self.next_heartbeat = Instant::now() + self.server.heartbeat.mul_f64(0.9 + fastrand::f64() / 5.0);
    }
}

/// Ends what panics as if the server went away, for its client alone: it comes back, and goes on from its cursor.
fn isolated(chunks: impl Stream<Item = Bytes> + Send) -> impl Stream<Item = Bytes> + Send {
    // Nothing looks at the session after a panic, and what sessions share is behind locks that survive one.
    AssertUnwindSafe(chunks).catch_unwind().map(|chunk| {
        chunk.unwrap_or_else(|_| {
            error!("a stream ended by a panic");
            unavailable().into()
        })
    })
}

/// All frames of a piece; what was not for the client only moves its cursor.
fn chunk(piece: &Piece) -> Bytes {
    let frames: Vec<Bytes> = piece.events.iter().map(Visible::frame).collect();
    let Some((last, others)) = frames.split_last() else { return heartbeat(&piece.cursor) };
    let id = sse::id_line(&piece.cursor);
    let mut chunk = BytesMut::with_capacity(id.len() + frames.iter().map(Bytes::len).sum::<usize>());
    for frame in others {
        chunk.extend_from_slice(frame);
    }
    // With the last one: then all that the cursor claims has been written.
    chunk.extend_from_slice(id.as_bytes());
    chunk.extend_from_slice(last);
    chunk.freeze()
}

fn heartbeat(cursor: &Cursor) -> Bytes {
    (sse::id_line(cursor) + sse::HEARTBEAT).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_ends_its_own_stream_with_a_goodbye() {
        let chunks = stream::unfold(0, async |n| {
            assert!(n < 2, "planted");
            Some((Bytes::from(n.to_string()), n + 1))
        });
        let chunks: Vec<Bytes> = isolated(chunks).collect().await;
        assert_eq!(chunks[..2], ["0", "1"]);
        assert_eq!(chunks.len(), 3, "nothing comes after the goodbye");
        let goodbye = std::str::from_utf8(&chunks[2]).unwrap();
        assert!(goodbye.starts_with("retry: ") && goodbye.contains(r#""reason":"unavailable""#), "{goodbye}");
    }

    #[test]
    fn streams_that_begin_together_end_apart_and_never_late() {
        let longest = Duration::from_secs(100);
        let now = Instant::now();
        let lengths: Vec<Duration> = (0..1_000).map(|_| ends_at(longest).unwrap() - now).collect();
        let (first, last) = (lengths.iter().min().unwrap(), lengths.iter().max().unwrap());
        assert!(*first >= longest.mul_f64(0.8) && *last <= longest + now.elapsed(), "{first:?} to {last:?}");
        assert!(*last > *first + longest.mul_f64(0.15), "{first:?} to {last:?}");
    }
}
