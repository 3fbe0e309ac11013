//! What clients and publisher let each other know.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    time::{Duration, Instant},
};

/// Events of which it is remembered when they were published: many more than can be under way.
const REMEMBERED: usize = 1 << 20;

/// Where both look.
pub(crate) struct Board {
    epoch: Instant,
    /// By the number of the event, in microseconds since the epoch.
    published: Box<[AtomicU64]>,
    /// Streams that have begun.
    pub(super) begun: AtomicUsize,
    /// How many events the client has had that has had the fewest.
    pub(crate) slowest: AtomicU64,
    /// Events told, to all clients together.
    pub(crate) deliveries: AtomicU64,
    /// Whether latencies count.
    pub(crate) recording: AtomicBool,
    pub(super) stop: AtomicBool,
}

impl Board {
    pub(super) fn new() -> Self {
        Self {
            epoch: Instant::now(),
            published: (0..REMEMBERED).map(|_| AtomicU64::new(0)).collect(),
            begun: AtomicUsize::new(0),
            slowest: AtomicU64::new(0),
            deliveries: AtomicU64::new(0),
            recording: AtomicBool::new(false),
            stop: AtomicBool::new(false),
        }
    }

    /// Event `k` is published now; or was to be at `when`, and is late: whoever waits for it has waited since then.
    pub(crate) fn publish(&self, k: u64, when: Instant) {
        let since = u64::try_from((when - self.epoch).as_micros()).unwrap();
        self.published[at(k)].store(since, Ordering::Release);
    }

    /// How long ago that was.
    pub(super) fn age(&self, k: u64, now: Instant) -> Duration {
        (now - self.epoch).saturating_sub(Duration::from_micros(self.published[at(k)].load(Ordering::Acquire)))
    }
}

fn at(k: u64) -> usize {
    usize::try_from(k).unwrap() % REMEMBERED
}
