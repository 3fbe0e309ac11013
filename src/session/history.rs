//! Replay: pages of the outbox for a client whose place has left the log, up to where the log was when that began.
//!
//! A client that reads as fast as Postgres gives is not kept waiting: the next page is read while the one before is written, and pages grow with what it has taken. One page ahead and no more:
//! whatever a client does not read stays in the outbox. Reading ahead decides nothing. What a page holds is judged when it is handed out, and a page that is old by then, or is not the one that would be asked for, is thrown away.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio_util::task::AbortOnDropHandle;

use super::{
    Server,
    reader::{Piece, Reader},
};
use crate::{
    cursor::IdRange,
    event::Event,
    log::{Log, Size},
    postgres::{
        self,
        outbox::{self, Page},
    },
};

/// About how much memory a page takes: of a client that takes its time, and of one that waits for each.
const PAGE_BYTES: usize = 128 * 1024;
const LARGE_PAGE_BYTES: usize = 1024 * 1024;

/// A page is at most this part of what its client has taken without a pause, and none is read ahead before that is as much as this many small ones: what is written so far may lie in the buffers
/// of a socket that nobody reads.
const OF_TAKEN: usize = 8;

/// About how much all pages together may take before there are none but small ones, and none ahead.
const ALL_PAGES_BYTES: usize = 64 * 1024 * 1024;

/// The fewest and the most rows of a page, and the most of the first one: those of one client may be larger than those of others.
const FEWEST_ROWS: i64 = 4;
const MOST_ROWS: i64 = 2_000;
const MOST_FIRST_ROWS: i64 = 50;

/// For how long a page may be handed out: what is erased meanwhile is still in it. Who takes longer than this for a page has none read ahead.
const FRESH: Duration = Duration::from_secs(1);

/// How a client's pages are read.
pub(super) struct Pages {
    /// How many rows to ask for; none before anything is known of them.
    rows: Option<i64>,
    /// How much of them to take.
    bytes: usize,
    /// How much the client has taken since it last paused.
    taken: usize,
    /// Whether the client will come for another one.
    goes_on: bool,
    ahead: Option<Ahead>,
    /// When the last one was handed out.
    handed_out: Option<Instant>,
}

/// A page that is being read, or has been, before anybody has asked for it.
struct Ahead {
    log: Arc<Log>,
    ranges: Vec<IdRange>,
    organizations: Option<Vec<Box<str>>>,
    reading: AbortOnDropHandle<(Result<Page, postgres::Error>, Instant)>,
}

impl Default for Pages {
    fn default() -> Self {
        Self { rows: None, bytes: PAGE_BYTES, taken: 0, goes_on: true, ahead: None, handed_out: None }
    }
}

impl Pages {
    /// None is read ahead: the client may be done at any time.
    pub(super) fn one_by_one(&mut self) {
        self.goes_on = false;
    }

    /// The page that was read ahead, if it is this one, and still fresh.
    async fn take_ahead(
        &mut self,
        log: &Arc<Log>,
        ranges: &[IdRange],
        organizations: Option<&[Box<str>]>,
    ) -> Option<Result<Page, postgres::Error>> {
        let ahead = self.ahead.take()?;
        if !Arc::ptr_eq(&ahead.log, log) || ahead.ranges != ranges || ahead.organizations.as_deref() != organizations {
            return None;
        }
        if !ahead.reading.is_finished() {
            self.bytes = (self.bytes * 2).min(LARGE_PAGE_BYTES);
        }
        match ahead.reading.await {
            Ok((page, read_at)) => (read_at.elapsed() < FRESH).then_some(page),
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => None,
        }
    }

    /// A client has come for a page: whether another is worth reading ahead for it, and how much that may be while so many others come for theirs.
    fn is_quick(&mut self, others: usize) -> bool {
        if self.handed_out.is_some_and(|handed_out| handed_out.elapsed() >= FRESH) {
            self.taken = 0;
        }
        let room = (ALL_PAGES_BYTES / others.max(1) / 2).min(self.taken / OF_TAKEN);
        self.bytes = self.bytes.min(room).max(PAGE_BYTES);
        room >= PAGE_BYTES
    }

    /// A page is the client's.
    fn hand_out(&mut self, page: &Page) {
        self.handed_out = Some(Instant::now());
        self.taken += page.size().1;
    }

    /// How many rows to ask for: of the first page as many as there would be of what is in the log.
    fn rows(&self, log: &Log) -> i64 {
        self.rows.unwrap_or_else(|| {
            let Size { entries, bytes, .. } = log.size();
            rows_within(self.bytes, entries, bytes).unwrap_or(MOST_FIRST_ROWS).clamp(FEWEST_ROWS, MOST_FIRST_ROWS)
        })
    }

    /// Asks for as many rows next time as there would be of those of this page, for which so many were asked.
    fn fit_rows_to(&mut self, page: &Page, asked: i64) {
        let (rows, bytes) = page.size();
        // Without rows nothing is known, and little to be feared.
        let fit = rows_within(self.bytes, rows, bytes).unwrap_or(asked * 2);
        self.rows = Some(fit.clamp(FEWEST_ROWS, asked.saturating_mul(8).min(MOST_ROWS)));
    }
}

/// How many rows are `room` bytes, if `rows` are `bytes`; none if there are none.
fn rows_within(room: usize, rows: usize, bytes: usize) -> Option<i64> {
    (room * rows).checked_div(bytes).and_then(|rows| i64::try_from(rows).ok())
}

impl Reader {
    /// The next page of the outbox; none when history is done and what was left of it held nothing for this client, or when some of it has expired, or access has changed.
    ///
    /// # Errors
    /// When the database fails; the next call reads the same page.
    pub(super) async fn next_page(&mut self) -> Result<Option<Piece>, postgres::Error> {
        let ranges = self.place.outbox_ranges();
        let others = usize::try_from(self.server.metrics.connections_behind.get()).unwrap_or_default();
        let is_quick = self.pages.is_quick(others);
        let organizations = self.subscription.interest().organizations();
        let rows = self.pages.rows(&self.log);
        let page = if let Some(page) = self.pages.take_ahead(&self.log, &ranges, organizations).await {
            page?
        } else {
            let server = Arc::clone(&self.server);
            let organizations = organizations.map(<[_]>::to_vec);
            read_page(server, ranges.clone(), organizations, rows, self.pages.bytes).await?
        };
        if ranges.first().is_some_and(|&(first, _)| first <= page.expired_through) {
            self.expired = true;
            return Ok(None);
        }
        self.pages.fit_rows_to(&page, rows);
        let mut place = self.place.clone();
        let more = place.page_read(page.read_through);
        if more && is_quick && self.pages.goes_on {
            self.read_ahead(place.outbox_ranges());
            // It is asked for before frames are made: a task that was woken by this one would wait for as long as this one is at work.
            tokio::task::yield_now().await;
        }
        // The page is of the organizations of before. Asked when nothing is waited for any more.
        if self.access_has_changed() {
            return Ok(None);
        }
        // The page is newer than the tailer's last step, and the grants may be older than the page. They are not older than what the log has seen: changes of access
        // are applied before the events of the same step are published. So what the log had not seen when this began is left for the log.
        let mut events: Vec<Event<&str>> = page.events()?;
        events.retain(|event| self.place.is_of_outbox(event.id));
        self.place = place;
        let events = self.view().visible_of_outbox(&events, &self.viewer.user_id);
        self.pages.hand_out(&page);
        self.note_behind();
        let cursor = self.cursor();
        Ok((more || !events.is_empty()).then_some(Piece { events, cursor }))
    }

    fn read_ahead(&mut self, ranges: Vec<IdRange>) {
        let log = Arc::clone(&self.log);
        let organizations = self.subscription.interest().organizations().map(<[_]>::to_vec);
        let page = read_page(
            Arc::clone(&self.server),
            ranges.clone(),
            organizations.clone(),
            self.pages.rows(&self.log),
            self.pages.bytes,
        );
        let reading = AbortOnDropHandle::new(tokio::spawn(async move { (page.await, Instant::now()) }));
        self.pages.ahead = Some(Ahead { log, ranges, organizations, reading });
    }
}

async fn read_page(
    server: Arc<Server>,
    ranges: Vec<IdRange>,
    organizations: Option<Vec<Box<str>>>,
    rows: i64,
    bytes: usize,
) -> Result<Page, postgres::Error> {
    let connection = server.database.connection().await?;
    server.metrics.outbox_scans.inc();
    outbox::read_ranges(&connection, &ranges, organizations.as_deref(), rows, bytes).await
}
