//! Replay: pages of the outbox for a client whose place has left the log, up to where the log was when that began.

use std::sync::Arc;

use super::reader::{Piece, Reader};
use crate::{
    cursor::IdRange,
    event::Event,
    log::Entry,
    postgres::{
        self,
        outbox::{self, Page},
    },
};

/// The most rows, and about the most bytes, of history read at once. What a slow client holds is one page.
const PAGE_ROWS: i64 = 500;
const PAGE_BYTES: usize = 128 * 1024;

/// The fewest rows of a page.
const FEWEST_ROWS: i64 = 4;

impl Reader {
    /// The next page of the outbox; none when history is done and what was left of it held nothing for this client, or when some of it has expired, or access has changed.
    ///
    /// # Errors
    /// When the database fails; the next call reads the same page.
    pub(super) async fn next_page(&mut self) -> Result<Option<Piece>, postgres::Error> {
        let ranges = self.place.outbox_ranges();
        let Page { events, read_through, expired_through } = self.read_page(&ranges).await?;
        if ranges.first().is_some_and(|&(first, _)| first <= expired_through) {
            self.expired = true;
            return Ok(None);
        }
        // The page is of the organizations of before.
        if self.access_has_changed() {
            return Ok(None);
        }
        self.rows = rows_that_fit(&events);
        // The page is newer than the tailer's last step, and the grants may be older than the page. They are not older than what the log has seen: changes of access
        // are applied before the events of the same step are published. So what the log had not seen when this began is left for the log.
        let seen_by_log = events.into_iter().filter(|event| self.place.is_of_outbox(event.id));
        let entries = seen_by_log.map(|event| Arc::new(Entry::new(event))).collect();
        let events = self.visible(entries);
        let more = self.place.page_read(read_through);
        self.note_behind();
        let cursor = self.cursor();
        Ok((more || !events.is_empty()).then_some(Piece { events, cursor }))
    }

    async fn read_page(&self, ranges: &[IdRange]) -> Result<Page, postgres::Error> {
        let connection = self.server.database.connection().await?;
        self.server.metrics.outbox_scans.inc();
        let organizations = self.subscription.interest().organizations();
        outbox::read_ranges(&connection, ranges, organizations, self.rows, PAGE_BYTES).await
    }
}

/// How many rows like these fit into a page.
fn rows_that_fit(events: &[Event]) -> i64 {
    let bytes: usize = events.iter().map(Event::size).sum();
    let fit = (PAGE_BYTES * events.len()).checked_div(bytes).unwrap_or(usize::MAX);
    i64::try_from(fit).unwrap_or(PAGE_ROWS).clamp(FEWEST_ROWS, PAGE_ROWS)
}
