//! Replay: pages of the outbox for a client whose place has left the log, up to where the log was when that began.
//!
//! A client that reads as fast as Postgres gives is not kept waiting: the next page is read while the one before is written, and pages grow. One page ahead and no more: whatever a client does
//! not read stays in the outbox. Reading ahead decides nothing. What a page holds is judged when it is handed out, and a page that is old by then, or is not the one that would be asked for, is thrown away.

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
    log::Log,
    postgres::{
        self,
        outbox::{self, Page},
    },
};

/// About how much memory a page takes: of a client that takes its time, and of one that waits for each.
const PAGE_BYTES: usize = 128 * 1024;
const LARGE_PAGE_BYTES: usize = 1024 * 1024;

/// About how much all pages together may take before there are none but small ones, and none ahead.
const ALL_PAGES_BYTES: usize = 64 * 1024 * 1024;

/// Rows of the first page of history, when nobody knows yet how large they are.
const FIRST_ROWS: i64 = 50;

/// The fewest and the most rows of a page.
const FEWEST_ROWS: i64 = 4;
const MOST_ROWS: i64 = 2_000;

/// For how long a page may be handed out: what is erased meanwhile is still in it. Who takes longer than this for a page has none read ahead.
const FRESH: Duration = Duration::from_secs(1);

/// How a client's pages are read.
pub(super) struct Pages {
    /// How many rows to ask for.
    rows: i64,
    /// How much of them to take.
    bytes: usize,
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
        Self { rows: FIRST_ROWS, bytes: PAGE_BYTES, goes_on: true, ahead: None, handed_out: None }
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

    /// A client has come for a page: whether it has been quick, and how much the next may be while so many others come for theirs.
    fn is_quick(&mut self, others: usize) -> bool {
        let room = ALL_PAGES_BYTES / others.max(1) / 2;
        let is_quick = room >= PAGE_BYTES && self.handed_out.is_none_or(|handed_out| handed_out.elapsed() < FRESH);
        self.bytes = if is_quick { self.bytes.min(room) } else { PAGE_BYTES };
        is_quick
    }

    /// How many rows to ask for, going by how large those of this page are.
    fn fit_rows_to(&mut self, page: &Page) {
        let (rows, bytes) = page.size();
        let fit = (self.bytes * rows).checked_div(bytes).and_then(|rows| i64::try_from(rows).ok());
        // Without rows nothing is known, and little to be feared.
        self.rows = fit.unwrap_or(self.rows * 2).clamp(FEWEST_ROWS, self.rows.saturating_mul(8).min(MOST_ROWS));
    }
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
        let page = if let Some(page) = self.pages.take_ahead(&self.log, &ranges, organizations).await {
            page?
        } else {
            let server = Arc::clone(&self.server);
            let organizations = organizations.map(<[_]>::to_vec);
            read_page(server, ranges.clone(), organizations, self.pages.rows, self.pages.bytes).await?
        };
        if ranges.first().is_some_and(|&(first, _)| first <= page.expired_through) {
            self.expired = true;
            return Ok(None);
        }
        // The page is of the organizations of before.
        if self.access_has_changed() {
            return Ok(None);
        }
        self.pages.fit_rows_to(&page);
        // The page is newer than the tailer's last step, and the grants may be older than the page. They are not older than what the log has seen: changes of access
        // are applied before the events of the same step are published. So what the log had not seen when this began is left for the log.
        let mut events: Vec<Event<&str>> = page.events()?;
        events.retain(|event| self.place.is_of_outbox(event.id));
        let more = self.place.page_read(page.read_through);
        // Before the frames are made: Postgres need not wait for that.
        if more && is_quick && self.pages.goes_on {
            self.read_ahead();
        }
        let events = self.view().visible_of_outbox(&events, &self.viewer.user_id);
        self.pages.handed_out = Some(Instant::now());
        self.note_behind();
        let cursor = self.cursor();
        Ok((more || !events.is_empty()).then_some(Piece { events, cursor }))
    }

    fn read_ahead(&mut self) {
        let log = Arc::clone(&self.log);
        let ranges = self.place.outbox_ranges();
        let organizations = self.subscription.interest().organizations().map(<[_]>::to_vec);
        let page = read_page(
            Arc::clone(&self.server),
            ranges.clone(),
            organizations.clone(),
            self.pages.rows,
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
