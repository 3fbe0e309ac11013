//! Replay: pages of the outbox for a client whose place has left the log, up to where the log was when that began.

use std::sync::{Arc, atomic::Ordering};

use super::{
    reader::{Piece, Reader},
    seen::Seen,
};
use crate::{
    cursor::{Cursor, IdRange},
    event::Event,
    log::{Entry, Position},
    postgres::{
        self,
        outbox::{self, Page},
    },
};

/// The most rows, and about the most bytes, of history read at once. What a slow client holds is one page.
const PAGE_ROWS: i64 = 500;
const PAGE_BYTES: usize = 128 * 1024;

/// Rows of the first page, when nobody knows yet how large they are; and the fewest of any.
const FIRST_ROWS: i64 = 50;
const FEWEST_ROWS: i64 = 4;

/// Reading the outbox, up to where the log was when that began.
pub(super) struct History {
    until: Arc<Cursor>,
    position: Position,
    /// Ids up to here have been read.
    done: i64,
    /// How many rows to ask for: about as many as fit into a page, going by the page before.
    rows: i64,
}

impl Reader {
    /// Turns to the outbox: what the client lacks may have left the log.
    pub(super) fn read_history(&mut self) {
        self.server.replays.begun.fetch_add(1, Ordering::Relaxed);
        let (until, position) = self.log.head();
        let seen = self.seen.cursor();
        self.history = Some(History { until, position, done: seen.floor(), rows: FIRST_ROWS });
        self.seen = Seen { log: seen, ahead: None };
    }

    /// The next page of the outbox; none when history is done and what was left of it held nothing for this client, or when some of it has expired.
    ///
    /// # Errors
    /// When the database fails; the next call reads the same page.
    pub(super) async fn next_page(&mut self) -> Result<Option<Piece>, postgres::Error> {
        let Some(&History { ref until, position, done, rows }) = self.history.as_ref() else { return Ok(None) };
        let until = Arc::clone(until);
        let ranges = self.missing_between(done, &until);
        let Page { events, read_through, expired_through } = self.read_page(&ranges, rows).await?;
        if ranges.first().is_some_and(|&(first, _)| first <= expired_through) {
            self.expired = true;
            return Ok(None);
        }
        let done = read_through.unwrap_or(until.high()).min(until.high());
        let full = done < until.high();
        let rows = rows_that_fit(&events);
        // The page is newer than the tailer's last step, and the grants may be older than the page. They are not older than what the log has seen: changes of access
        // are applied before the events of the same step are published. So what the log had not seen when this began is left for the log.
        let seen_by_log = events.into_iter().filter(|event| until.contains(event.id));
        let events = self.visible(seen_by_log.map(|event| Arc::new(Entry::new(event))).collect());
        if full {
            self.seen.log = Arc::new(self.seen.log.union(&until.truncated(done)));
            self.history = Some(History { until, position, done, rows });
        } else {
            // The client may come from a server that was ahead of this one.
            let ahead = Some(Arc::unwrap_or_clone(std::mem::take(&mut self.seen.log)));
            self.seen = Seen { log: Arc::default(), ahead };
            self.seen.log_reached(until);
            self.position = position;
            self.history = None;
        }
        let cursor = self.cursor();
        Ok((full || !events.is_empty()).then_some(Piece { events, cursor }))
    }

    /// What the client lacks of what the log had seen, and has not been read yet.
    fn missing_between(&self, done: i64, until: &Cursor) -> Vec<IdRange> {
        let missing = self.seen.log.missing_up_to(until.high());
        missing.map(|(first, last)| (first.max(done + 1), last)).filter(|&(first, last)| first <= last).collect()
    }

    async fn read_page(&self, ranges: &[IdRange], rows: i64) -> Result<Page, postgres::Error> {
        let connection = self.server.database.connection().await?;
        let organizations = self.subscription.interest().organizations();
        self.server.replays.pages.fetch_add(1, Ordering::Relaxed);
        outbox::read_ranges(&connection, ranges, organizations, rows, PAGE_BYTES).await
    }
}

/// How many rows like these fit into a page.
fn rows_that_fit(events: &[Event]) -> i64 {
    let bytes: usize = events.iter().map(Event::size).sum();
    let fit = (PAGE_BYTES * events.len()).checked_div(bytes).unwrap_or(usize::MAX);
    i64::try_from(fit).unwrap_or(PAGE_ROWS).clamp(FEWEST_ROWS, PAGE_ROWS)
}
