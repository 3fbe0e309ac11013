//! What users do with their streams, told as rows of `rowcast.activity`, which are events: who comes and goes, and who subscribes to what. Switched on by `ROWCAST_ACTIVITY`.
//!
//! Nothing waits for it. What happens is queued and written in batches (`writer.rs`); while the database is away, and in a storm, there is only so much of it
//! (`allowance.rs`), and what is over is counted and told in sums (`sums.rs`). `account.rs` knows what each stream's story is.

mod account;
mod allowance;
mod sums;
mod writer;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{sync::Notify, time::Instant};

pub(super) use self::account::{Account, Cause, Places};
use self::{allowance::Allowance, sums::Sums};
use crate::{
    access::Access,
    metrics::Metrics,
    postgres::{
        Database,
        activity::{Gone, Told},
    },
};

/// What waits to be written, at most: some minutes without a database. Ends of streams come on top, of which there are no more than streams.
const MOST_WAITING: usize = 1_024;

/// Tells what users do with the streams of one server.
pub struct Activity {
    pub(super) access: Arc<Access>,
    server: Box<str>,
    database: Database,
    metrics: Arc<Metrics>,
    /// Rows a second, half for who comes and half for who goes: as many go as have come.
    per_second: u32,
    untold: Mutex<Untold>,
    something_happened: Notify,
}

/// What has happened and is not in the database.
struct Untold {
    happenings: VecDeque<Happening>,
    sums: Sums,
    allowance: Allowance,
}

/// What is to be written.
#[derive(Debug)]
enum Happening {
    Told(Told),
    Gone(Gone),
}

impl Activity {
    /// Nothing has happened yet. `per_second` rows are written, and of what is over, sums.
    #[must_use]
    pub fn new(server: &str, per_second: u32, access: Arc<Access>, database: Database, metrics: Arc<Metrics>) -> Self {
        let untold = Untold {
            happenings: VecDeque::new(),
            sums: Sums::default(),
            allowance: Allowance::new(half(per_second), Instant::now()),
        };
        Self {
            access,
            server: server.into(),
            database,
            metrics,
            per_second,
            untold: Mutex::new(untold),
            something_happened: Notify::new(),
        }
    }

    /// A stream has come.
    pub(super) fn open(self: &Arc<Self>, session_id: &str, user_id: &str, places: Places) -> Account {
        Account::open(Arc::clone(self), session_id, user_id, places)
    }

    /// Whether so many rows may be told of now. If so they count.
    fn has_room_for(&self, rows: usize) -> bool {
        let mut untold = self.untold.lock().unwrap_or_else(PoisonError::into_inner);
        untold.happenings.len() < MOST_WAITING && untold.allowance.take(rows, Instant::now())
    }

    fn push(&self, happening: Happening) {
        self.untold.lock().unwrap_or_else(PoisonError::into_inner).happenings.push_back(happening);
        self.something_happened.notify_one();
    }

    fn count(&self, action: &'static str, organization: Option<&str>) {
        self.metrics.activity_untold.inc();
        self.untold.lock().unwrap_or_else(PoisonError::into_inner).sums.add(action, organization);
    }
}

fn half(per_second: u32) -> f64 {
    f64::from(per_second) / 2.0
}
