//! A poll: what a reader finds, as one answer, for clients whose way to us breaks streams. Same events, same cursor; a client may change between the two as it
//! likes.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use jiff::Timestamp;
use tokio::{sync::watch, time::Instant};

use super::{
    Resume, Server,
    reader::{Piece, Reader, Visible},
};
use crate::{access::Viewer, connections::Terms, cursor::Cursor, postgres, sse::ResetReason};

/// About the most bytes of one answer.
const ANSWER_BYTES: usize = 1 << 20;

/// How long an answer may look through history that is not for its client, however short the client wants to wait, before it says how far it has come.
const SCAN: Duration = Duration::from_secs(1);

/// How much a client wants, and how long it waits for the first of it.
#[derive(Clone, Copy, Debug)]
pub struct Ask {
    /// How long to wait while there is nothing.
    pub wait: Duration,
    /// The most events.
    pub limit: usize,
}

/// What there was.
#[derive(Debug)]
pub struct Answer {
    /// The events, as JSON: the same bytes as on the stream.
    pub events: Vec<Bytes>,
    /// Where to go on. It covers all that was looked at, whether it was for this client or not.
    pub cursor: Arc<Cursor>,
    /// The client's cursor was of no use: it must fetch its data anew.
    pub reset: Option<ResetReason>,
}

/// Answers when there is something, or what was asked for cannot be told any longer: the time is over, the token's is, access has changed, the server goes away.
///
/// # Errors
/// When history could not be read.
pub async fn poll(
    server: Arc<Server>,
    viewer: Arc<Viewer>,
    terms: Terms,
    resume: &Resume,
    ask: Ask,
) -> Result<Answer, postgres::Error> {
    let expires_in = Duration::try_from(terms.expires_at.duration_since(Timestamp::now())).unwrap_or_default();
    // Nobody changes the terms of a poll.
    let (_terms, terms) = watch::channel(terms);
    let now = Instant::now();
    let (until, scan_until) = (now + ask.wait.min(expires_in), now + SCAN.max(ask.wait));
    let (mut reader, reset) = Reader::open(Arc::clone(&server), Arc::clone(&viewer), terms, resume);
    reader.pages.one_by_one();
    let mut answer = Answer { events: Vec::new(), cursor: reader.cursor(), reset };
    // Who begins now, or anew, learns from where, before anything else.
    let (Resume::After(after), None) = (resume, reset) else { return Ok(answer) };
    let mut last_look = false;
    let mut bytes = 0;
    loop {
        // The grants of who has been disconnected are not kept fresh.
        if viewer.is_disconnected() {
            return Ok(answer);
        }
        // What was found in another life of the database is nothing to go on after in this one.
        if let Some(new_life) = reader.follow_log(after) {
            bytes = 0;
            answer = Answer { events: Vec::new(), cursor: reader.cursor(), reset: new_life.reset() };
            if answer.reset.is_some() {
                return Ok(answer);
            }
        }
        // One batch at a time: an answer can end within a batch, not within several.
        let read = reader.next(0).await;
        if reader.is_outlived() || viewer.is_disconnected() {
            continue;
        }
        match read {
            Ok(Some(piece)) => {
                bytes += answer.add(piece, ask.limit, after);
                let full = answer.events.len() >= ask.limit || bytes >= ANSWER_BYTES;
                if full && is_beyond(&answer.cursor, after) || Instant::now() >= scan_until {
                    return Ok(answer);
                }
            }
            Ok(None) => {
                answer.cursor = reader.cursor();
                if !answer.events.is_empty() || last_look {
                    return Ok(answer);
                }
                last_look = tokio::select! {
                    () = reader.woken() => reader.follow_access().is_some(),
                    () = tokio::time::sleep_until(until) => true,
                    () = server.shutdown.cancelled() => true,
                };
            }
            // What was found is told; the client will ask for the rest.
            Err(_) if !answer.events.is_empty() => return Ok(answer),
            Err(error) => return Err(error),
        }
    }
}

impl Answer {
    /// Adds as much of a piece as there is room for; returns its bytes.
    fn add(&mut self, piece: Piece, limit: usize, after: &Cursor) -> usize {
        let room = limit.saturating_sub(self.events.len());
        let within =
            piece.events.get(room).map(|left| Arc::new(self.cursor.union(&piece.cursor.truncated(left.id() - 1))));
        let (taken, cursor) = match within {
            // With very many gaps a cursor's text claims less than it stands for. If it came to nothing, the client would be told the same for ever.
            Some(cursor) if is_beyond(&cursor, after) => (room, cursor),
            _ => (piece.events.len(), piece.cursor),
        };
        self.cursor = cursor;
        let before = self.events.len();
        self.events.extend(piece.events.iter().take(taken).map(Visible::envelope));
        self.events[before..].iter().map(Bytes::len).sum()
    }
}

/// Whether a client that sends back what is written of `cursor` has come on from `after`.
fn is_beyond(cursor: &Cursor, after: &Cursor) -> bool {
    cursor.to_string().parse::<Cursor>().is_ok_and(|written| written.covers(after) && written != *after)
}
