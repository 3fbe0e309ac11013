//! What an event costs in memory that is allocated, where time would tell nothing: counts are the same on every machine.
//!
//! Streams are read here as a connection reads them, each by a task of its own that is polled when it has been woken; every allocation of this process is counted meanwhile. A limit that is
//! passed says that the way of an event has become longer: for everybody who reads it, or for those too who do not.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on has failed, and tells what it has seen"
)]

#[path = "../it/harness/mod.rs"]
mod harness;

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use bytes::Bytes;
use futures_util::Stream;
use jiff::Timestamp;
use rowcast::{
    cursor::Cursor,
    event::{Audience, Event},
    session::Resume,
};

use self::harness::{Database, stepped::Stepped};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

/// Blocks that may be allocated for one event and one reader of it, when each event is written by itself.
const BLOCKS_PER_DELIVERY: f64 = 0.2;

/// The same, when sixteen are written together.
const BLOCKS_PER_DELIVERY_TOGETHER: f64 = 0.1;

/// Blocks that may be allocated for one event, whoever reads it.
const BLOCKS_PER_EVENT: f64 = 25.0;

/// Bytes that a stream may keep on the heap while nothing happens, without its connection and task.
const BYTES_PER_STREAM: usize = 5 * 1024;

const READERS: usize = 200;
const EVENTS: u32 = 64;

/// A stream, read by whoever is woken for it.
struct Reader {
    stream: Pin<Box<dyn Stream<Item = Bytes> + Send>>,
    woken: Arc<Woken>,
}

#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Reader {
    async fn open(server: &Stepped, user: &str) -> Self {
        let session = server.open_at(user, &Resume::Head).await;
        let mut reader = Self { stream: Box::pin(session.into_stream()), woken: Arc::default() };
        reader.woken.0.store(1, Ordering::Relaxed);
        reader.read();
        reader
    }

    /// All that has come, if it was woken: the bytes of it.
    fn read(&mut self) -> usize {
        if self.woken.0.swap(0, Ordering::Relaxed) == 0 {
            return 0;
        }
        let waker = Waker::from(Arc::clone(&self.woken));
        let mut context = Context::from_waker(&waker);
        let mut bytes = 0;
        while let Poll::Ready(chunk) = self.stream.as_mut().poll_next(&mut context) {
            bytes += chunk.unwrap().len();
        }
        bytes
    }
}

fn event(id: i64) -> Event {
    Event {
        id,
        txid: 1_000,
        created_at: Timestamp::UNIX_EPOCH,
        event_type: "document_processing".into(),
        audience: Audience::Organization,
        organization_id: Some("o1".into()),
        user_id: None,
        chatbot_id: None,
        session_id: None,
        source: Some("public.documents".into()),
        source_key: Some(id.to_string().into()),
        operation: "INSERT".into(),
        priority: "medium".into(),
        data: r#"{"stage": "ocr", "progress": 40}"#.into(),
    }
}

/// What was allocated while `EVENTS` events were appended, `together` at a time, and read by all.
fn blocks(server: &Stepped, readers: &mut [Reader], from: i64, together: i64) -> u64 {
    let log = server.sessions.log();
    let batches: Vec<Vec<Event>> = (0..i64::from(EVENTS) / together)
        .map(|batch| (0..together).map(|n| event(from + batch * together + n)).collect())
        .collect();
    let before = dhat::HeapStats::get().total_blocks;
    let mut bytes = 0;
    for batch in batches {
        let last = batch.last().unwrap().id;
        log.append(batch, Cursor::up_to(last));
        bytes += readers.iter_mut().map(Reader::read).sum::<usize>();
    }
    let blocks = dhat::HeapStats::get().total_blocks - before;
    assert!(bytes > 0, "nobody has been told anything");
    blocks
}

#[tokio::test]
async fn the_way_of_an_event_stays_as_short_as_it_is() {
    let _counting = dhat::Profiler::builder().testing().build();
    let db = Database::new().await;
    let admin = db.connect().await;
    let join = "INSERT INTO rowcast.memberships SELECT 'user' || n, CASE WHEN n % 2 = 0 THEN 'o1' ELSE 'o2' END, 'member' FROM generate_series(0, 2 * $1::bigint) n";
    admin.execute(join, &[&i64::try_from(READERS).unwrap()]).await.unwrap();
    let server = Stepped::with(&db, 1024 * 1024, Duration::from_hours(1)).await;

    let mut one = vec![Reader::open(&server, "user0").await];
    let head = server.sessions.log().head().0.high();
    let mut ids = (0..).map(|round| head + 1 + round * i64::from(EVENTS));
    let mut cost = |readers: &mut [Reader], together| {
        // The first time there is something to be made that stays.
        blocks(&server, readers, ids.next().unwrap(), together);
        blocks(&server, readers, ids.next().unwrap(), together)
    };
    let by_one = cost(&mut one, 1);

    let before = dhat::HeapStats::get().curr_bytes;
    let mut others = Vec::with_capacity(READERS);
    for n in 0..READERS {
        others.push(Reader::open(&server, &format!("user{}", 2 * n + 1)).await);
    }
    let each = (dhat::HeapStats::get().curr_bytes - before) / READERS;
    println!("{each} bytes for each idle stream");
    assert!(each <= BYTES_PER_STREAM, "{each} bytes for each idle stream");

    let beside_others = cost(&mut one, 1);
    assert!(others.iter_mut().all(|reader| reader.read() == 0), "who has nothing to read is left alone");
    // A table that is shared with them may grow.
    assert!(beside_others <= by_one + by_one / 10, "{beside_others} blocks beside others, {by_one} without");

    let mut all = one;
    for n in 1..READERS {
        all.push(Reader::open(&server, &format!("user{}", 2 * n)).await);
    }
    #[expect(clippy::cast_precision_loss, reason = "some thousands")]
    let [events, deliveries] = [f64::from(EVENTS), f64::from(EVENTS) * READERS as f64];
    #[expect(clippy::cast_precision_loss, reason = "some thousands")]
    let [by_one, by_all, by_all_together] = [by_one, cost(&mut all, 1), cost(&mut all, 16)].map(|blocks| blocks as f64);
    println!(
        "{} blocks per event and reader, {} when sixteen come together, {} per event",
        by_all / deliveries,
        by_all_together / deliveries,
        by_one / events
    );
    assert!(by_all / deliveries <= BLOCKS_PER_DELIVERY, "{by_all} blocks for {deliveries} deliveries");
    assert!(
        by_all_together / deliveries <= BLOCKS_PER_DELIVERY_TOGETHER,
        "{by_all_together} blocks for {deliveries} deliveries, sixteen at a time"
    );
    assert!(by_one / events <= BLOCKS_PER_EVENT, "{by_one} blocks for {events} events with one reader");
}
