//! Wake-ups → ordered batches: reads the outbox as it grows, and appends to the log.
//!
//! One step reads, in one snapshot, changes of access, commands and events. The changes are applied before the first event of the step is published, so no event is
//! sent by grants that are older than it. What the [frontier](crate::frontier) cannot decide yet is read again until it can.
//!
//! Each step looks at the timeline too: behind a pooler a failover may go by without any error. In another [life](crate::epoch) of the database the log
//! means nothing any more, and is replaced by a new one.

mod alertness;
mod figures;
mod life;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{sync::watch, time::timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, instrument, warn};

use self::{
    alertness::{Alertness, SAFETY_POLL},
    figures::Figures,
};
use crate::{
    access::Access,
    command::Command,
    connections::Connections,
    cursor::IdRange,
    epoch::Life,
    event::Event,
    frontier::{Frontier, Urgency},
    log::Log,
    metrics::Metrics,
    postgres::{
        self, Connection, Database,
        epochs::{self, Current},
        listener::Doorbell,
        outbox::{self, Batch, Before},
    },
};

/// Rows read in one step. Enough that a bulk load is not bound by round trips, little enough to stay in the processor's cache.
const ROWS_PER_STEP: i64 = 500;

/// Events and bytes appended to the log at once: about what a session writes at once.
const BATCH: (usize, usize) = (64, 64 * 1024);

/// Gaps are mostly filled within a commit's time.
const GAP_POLL: Duration = Duration::from_millis(2);

/// Asking who writes draws a transaction id and walks the lock table: not more often than this.
const WRITERS_INTERVAL: Duration = Duration::from_millis(50);

/// How often it is stored what is settled: a restart re-reads at most about this much.
const SETTLED_INTERVAL: Duration = Duration::from_secs(1);

/// A step takes milliseconds. One that takes this long waits for a lock, or for a database that cannot be heard: events are late, and clients ought to know.
const STEP_PATIENCE: Duration = Duration::from_secs(5);
/// In another life of the database nobody knows which commands were seen in the one before: those from this long before its last step on are
/// carried out, some perhaps for the second time. Longer than a transaction that sends one takes.
const COMMANDS_AGAIN: Duration = Duration::from_mins(1);

/// Waits between attempts while the database is away, doubling, with jitter on top.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// Whether what the log says is what the outbox says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Has not caught up since it started, or since the database came back.
    CatchingUp,
    /// Every event reaches the log as it commits.
    Live,
}

/// Reads the outbox and appends to the log.
pub struct Tailer {
    database: Database,
    access: Arc<Access>,
    connections: Arc<Connections>,
    log: Arc<Log>,
    /// The log that sessions read; another than the one above while that has not caught up with the life it begins with.
    published: watch::Sender<Arc<Log>>,
    life: Life,
    /// Rung by the listener.
    doorbell: Arc<Doorbell>,
    status: watch::Sender<Status>,
    frontier: Frontier,
    /// The last step: changes of access and commands are those that it did not see.
    before: Before,
    /// Whether access has to be read anew, whatever is said to have changed.
    access_is_stale: bool,
    alertness: Alertness,
    /// Whether writers ring at all.
    rings: bool,
    /// The interval, where it is not to wait for the doorbell.
    poll: Option<Duration>,
    writers_asked: Option<Instant>,
    /// How long to wait before gaps that belong to open transactions are looked into again.
    waiting_poll: Duration,
    /// What was last stored as undecided.
    stored: Vec<IdRange>,
    stored_at: Instant,
    /// How long the next step may take.
    patience: Duration,
    figures: Figures,
}

/// What a step found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// How many transactions there were, and whatever else servers were told.
    pub found: usize,
    /// Whether there is more to read at once.
    pub more: bool,
}

impl Tailer {
    /// Looks up where to begin, and makes the log that it will fill, of at most `log_bytes`. With `poll` it does not wait for the doorbell.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn new(
        database: Database,
        access: Arc<Access>,
        connections: Arc<Connections>,
        doorbell: Arc<Doorbell>,
        metrics: Arc<Metrics>,
        log_bytes: usize,
        poll: Option<Duration>,
    ) -> Result<Self, postgres::Error> {
        let connection = database.connection().await?;
        let Current { life, epochs } = epochs::enter(&connection, None).await?;
        let start = outbox::read_start(&connection).await?;
        let rings = postgres::listener::read_doorbell(&connection).await?;
        drop(connection);
        let (frontier, first) = life::begin(&start);
        let log = Log::new(log_bytes, first).in_the_last_of(epochs);
        log.append(Vec::new(), frontier.cursor());
        let log = Arc::new(log);
        Ok(Self {
            database,
            access,
            connections,
            published: watch::Sender::new(Arc::clone(&log)),
            log,
            life,
            doorbell,
            status: watch::Sender::new(Status::CatchingUp),
            frontier,
            before: Before::default(),
            access_is_stale: true,
            alertness: life::begin_alert(rings, poll),
            rings,
            poll,
            writers_asked: None,
            waiting_poll: GAP_POLL,
            stored: start.undecided,
            stored_at: Instant::now(),
            patience: STEP_PATIENCE,
            figures: Figures::new(metrics),
        })
    }

    /// The log that it fills.
    #[must_use]
    pub fn log(&self) -> Arc<Log> {
        Arc::clone(&self.log)
    }

    /// The log for sessions to read: another one after a failover or a restore.
    #[must_use]
    pub fn logs(&self) -> watch::Receiver<Arc<Log>> {
        self.published.subscribe()
    }

    /// Whether it is up to date.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<Status> {
        self.status.subscribe()
    }

    /// Reads all there is, so that who connects next is served at once.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn catch_up(&mut self) -> Result<(), postgres::Error> {
        let connection = self.database.connection().await?;
        while self.step(&connection).await?.more {}
        // Some of what the log was to begin with may have expired before it was read.
        self.log.lack(outbox::read_start(&connection).await?.expired_through);
        self.caught_up();
        Ok(())
    }

    fn caught_up(&self) {
        self.published.send_if_modified(|published| {
            let replaced = !Arc::ptr_eq(published, &self.log);
            *published = Arc::clone(&self.log);
            replaced
        });
        self.figures.live(true);
        if self.tell_status(Status::Live) == Status::CatchingUp {
            self.connections.database_is_back();
            info!(cursor = %self.log.head().0, "tailing the outbox");
        }
    }

    /// Says how it is, if that is something else than before; what it was before. All streams listen to it, and it is looked at in every step.
    fn tell_status(&self, status: Status) -> Status {
        let mut before = status;
        self.status.send_if_modified(|current| {
            before = std::mem::replace(current, status);
            before != status
        });
        before
    }

    /// Tails until `shutdown`. Whatever happens to the database, it goes on where it was.
    pub async fn run(mut self, shutdown: CancellationToken) {
        let mut wait = BACK_OFF.0;
        loop {
            let failed = tokio::select! {
                () = shutdown.cancelled() => return,
                failed = self.tail(&mut wait) => failed,
            };
            self.figures.live(false);
            if self.tell_status(Status::CatchingUp) == Status::Live {
                error!(error = %failed, "tailing stopped; streams stay open and catch up when the database is back");
            } else {
                // Said once, when it was lost.
                debug!(error = %failed, "the database is not back yet");
            }
            let jitter = wait.mul_f64(fastrand::f64() / 2.0);
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(wait + jitter) => wait = (wait * 2).min(BACK_OFF.1),
            }
        }
    }

    async fn tail(&mut self, wait: &mut Duration) -> postgres::Error {
        let connection = match self.database.connection().await {
            Ok(connection) => connection,
            Err(error) => return error,
        };
        if let Err(error) = self.enter(&connection).await {
            connection.close();
            return error;
        }
        loop {
            let patience = self.patience;
            match timeout(patience, self.step(&connection)).await.unwrap_or(Err(postgres::Error::Silent(patience))) {
                Ok(Step { found, more }) => {
                    self.alertness.note_read(found, self.doorbell.holds_lock(), Instant::now());
                    self.doorbell.want_lock(self.alertness.wants_lock());
                    if more {
                        continue;
                    }
                    self.patience = STEP_PATIENCE;
                    *wait = BACK_OFF.0;
                    self.caught_up();
                    self.pause().await;
                }
                Err(error) => {
                    if matches!(error, postgres::Error::Silent(_)) {
                        // The others lead the same way.
                        self.database.forget_connections();
                        // It may just be slow: given ever more time, it gets on.
                        self.patience = (patience * 2).min(STEP_PATIENCE * 8);
                    } else if matches!(error, postgres::Error::Replaced) {
                        connection.close();
                    }
                    return error;
                }
            }
        }
    }

    /// Waits for the bell, or until gaps are worth another look.
    async fn pause(&mut self) {
        let poll = match self.frontier.urgency() {
            Urgency::None => SAFETY_POLL,
            Urgency::Soon => GAP_POLL,
            Urgency::Waiting => self.waiting_poll,
        };
        self.waiting_poll = match self.frontier.urgency() {
            Urgency::Waiting => (self.waiting_poll * 2).min(SAFETY_POLL),
            Urgency::None | Urgency::Soon => GAP_POLL,
        };
        tokio::select! {
            () = self.doorbell.rung() => self.waiting_poll = GAP_POLL,
            () = tokio::time::sleep(poll.min(self.alertness.patience())) => {}
        }
    }

    /// Reads once, and appends what was read to the log.
    ///
    /// # Errors
    /// When the database fails. Nothing is lost: the next step reads the same again.
    #[instrument(level = "trace", skip_all)]
    pub async fn step(&mut self, connection: &Connection) -> Result<Step, postgres::Error> {
        self.ask_who_writes(connection).await?;
        let batch = outbox::read_batch(connection, &mut self.frontier, ROWS_PER_STEP, &self.before).await?;
        // Another server may remember what this one does not, and have found by it that the database was set back.
        if batch.timeline != self.life.timeline || i64::from(batch.epoch) != i64::from(self.log.epochs().current()) {
            return Err(postgres::Error::Replaced);
        }
        // Where we have not been following, anything may have changed.
        let changed_users = if self.access_is_stale { &[None] } else { batch.changed_users.as_slice() };
        self.access.apply(connection, changed_users).await?;
        self.access_is_stale = false;
        self.obey(&batch.commands);
        let transactions = batch.events.chunk_by(|one, next| one.txid == next.txid).count();
        let found = transactions + batch.changed_users.len() + batch.commands.len();
        let step = Step { found, more: batch.full };
        self.publish(batch);
        self.store_settled(connection).await?;
        self.figures.stepped(&self.frontier, &self.alertness);
        Ok(step)
    }

    async fn ask_who_writes(&mut self, connection: &Connection) -> Result<(), postgres::Error> {
        let due = self.writers_asked.is_none_or(|asked| asked.elapsed() >= WRITERS_INTERVAL);
        // Before the question: the answer counts for a lock that was held by then.
        let hold = self.doorbell.holds_lock();
        if due && self.frontier.wants_writers() || hold.is_some() && self.alertness.wants_writers() {
            let writers = outbox::read_writers(connection, self.frontier.needs_bound()).await?;
            self.frontier.note_writers(&writers);
            self.alertness.note_writers(&writers, hold);
            self.writers_asked = Some(Instant::now());
        }
        Ok(())
    }

    fn obey(&self, commands: &[String]) {
        for json in commands {
            match Command::parse(json) {
                Ok(Command::Disconnect { user_id }) => self.access.disconnect(&user_id),
                Ok(Command::Erase { source, source_key }) => {
                    self.log.erase(&source, &source_key);
                    self.published.borrow().erase(&source, &source_key);
                }
                Ok(Command::Ask { request, connection, ask }) => {
                    let log = Arc::clone(&self.published.borrow());
                    self.connections.obey(&request, &connection, &ask, &self.access, &log);
                }
                Ok(Command::Answer { request, answer }) => self.connections.answered(&request, answer),
                Err(error) => warn!(%error, "servers were told something that this version of rowcast does not know"),
            }
        }
    }

    fn publish(&mut self, batch: Batch) {
        let mut events: Vec<Event> = Vec::new();
        let mut bytes = 0;
        for event in batch.events {
            if !self.frontier.see(event.id) {
                continue;
            }
            self.figures.read(&event);
            bytes += event.size();
            events.push(event);
            if events.len() >= BATCH.0 || bytes >= BATCH.1 {
                self.log.append(std::mem::take(&mut events), self.frontier.cursor());
                bytes = 0;
            }
        }
        if !batch.full {
            self.frontier.conclude(batch.oldest_running);
        }
        self.log.append(events, self.frontier.cursor());
        self.before =
            Before { snapshot: Some(batch.snapshot), commands_since: batch.read_at.checked_sub(COMMANDS_AGAIN).ok() };
    }

    async fn store_settled(&mut self, connection: &Connection) -> Result<(), postgres::Error> {
        if self.stored_at.elapsed() < SETTLED_INTERVAL {
            return Ok(());
        }
        let undecided = self.frontier.undecided();
        if undecided != self.stored {
            outbox::store_settled(connection, &undecided, self.life.timeline).await?;
            self.stored = undecided;
            self.stored_at = Instant::now();
        }
        Ok(())
    }
}
