//! The doorbell, as the server hears it: one connection that LISTENs, and that holds the lock which makes writers ring.
//!
//! A notification is only a hint that there is something to read; what there is, the tailer asks the outbox. So each (re)connect counts as a
//! notification: some may have been missed meanwhile. The lock belongs to the same session as the LISTEN, so that nobody rings for a server that
//! cannot hear, and a server that dies leaves nothing behind.
//!
//! That it hears is proven, not assumed: again and again something is notified where writers would, and has to arrive here. Until it does, and whenever it
//! does not, there is no lock, and the tailer polls. So a socket that is half open is found out in seconds, and a pooler that swallows notifications at once.

use std::{convert::Infallible, future::poll_fn, pin::pin, sync::Arc, time::Duration};

use tokio::{
    sync::{Notify, watch},
    time::{Instant, sleep, sleep_until, timeout},
};
use tokio_postgres::{AsyncMessage, Client};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::{Connection, Database, Error, Target, pool::PATIENCE, pooler};
use crate::metrics::Metrics;

/// Waits between attempts to connect double from the first to the last of these, each with up to half of it at random on top,
/// so that many servers do not come back in step.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// How long to leave a way alone that is known to lead nowhere.
const DEAF_RETRY: Duration = Duration::from_secs(30);

/// Whoever has not heard anything for this long, and up to a fifth more at random, sends a pulse. All servers of the database hear it, so there is one for all of them.
pub const PULSE: Duration = Duration::from_secs(10);

/// A notification arrives within milliseconds of its commit.
pub const HEARING: Duration = Duration::from_secs(3);

/// A writer holds the doorbell's lock for an instant.
const LOCK_RETRY: Duration = Duration::from_millis(1);

/// Numbers the times that the lock was taken: one that was lost and taken again is not the same.
pub type Hold = u64;

/// Whether notifications arrive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Hearing {
    /// Nobody knows: there is no connection, or it is new.
    #[default]
    Unknown,
    /// They do.
    Proven,
    /// They do not, and will not until somebody changes a setting: the tailer polls.
    Deaf(Deafness),
}

/// Why notifications do not arrive. Its `Display` says what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Deafness {
    /// They have no session to arrive in.
    #[error(
        "the listening connection leads through a pooler in transaction mode, which delivers no notifications: \
         give a direct one in ROWCAST_NOTIFY_DATABASE_URL"
    )]
    Pooled,
    /// The connection is good, and yet what is notified in `DATABASE_URL` is not heard.
    #[error(
        "what is notified in the database does not arrive on the listening connection: \
         do ROWCAST_NOTIFY_DATABASE_URL and DATABASE_URL lead to the same database?"
    )]
    Elsewhere,
}

/// What the tailer and the listener share.
#[derive(Debug, Default)]
pub struct Doorbell {
    rung: Notify,
    wanted: watch::Sender<bool>,
    held: watch::Sender<Option<Hold>>,
    hearing: watch::Sender<Hearing>,
    heard: watch::Sender<Option<Instant>>,
    metrics: Arc<Metrics>,
}

impl Doorbell {
    /// One that tells `metrics` how well it is heard.
    #[must_use]
    pub fn new(metrics: Arc<Metrics>) -> Self {
        Self { metrics, ..Self::default() }
    }

    /// Completes when somebody has rung since it last completed, or the lock was lost.
    pub async fn rung(&self) {
        self.rung.notified().await;
    }

    /// Asks for the lock that makes writers ring, or to give it up.
    pub fn want_lock(&self, wanted: bool) {
        self.wanted.send_if_modified(|current| std::mem::replace(current, wanted) != wanted);
    }

    /// The lock, if it is held.
    #[must_use]
    pub fn holds_lock(&self) -> Option<Hold> {
        *self.held.borrow()
    }

    /// Whether notifications arrive.
    #[must_use]
    pub fn hearing(&self) -> Hearing {
        *self.hearing.borrow()
    }

    /// How long ago a notification arrived, if ever one did: more than [`PULSE`] and `HEARING` together means that none does.
    #[must_use]
    pub fn last_heard(&self) -> Option<Duration> {
        self.heard.borrow().map(|heard| heard.elapsed())
    }
}

/// Why a connection was given up.
#[derive(Debug, thiserror::Error)]
enum Lost {
    #[error(transparent)]
    Deaf(#[from] Deafness),
    #[error("what is notified does not arrive any more")]
    HalfOpen,
    #[error(transparent)]
    Failed(#[from] Error),
}

impl From<tokio_postgres::Error> for Lost {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// Listens until `shutdown`, over connections of its own; `database` is where writers notify, `pulse` how long nobody may (see [`PULSE`]).
pub async fn listen(
    target: Target,
    database: Database,
    pulse: Duration,
    doorbell: Arc<Doorbell>,
    shutdown: CancellationToken,
) {
    let mut wait = BACK_OFF.0;
    let mut holds = 0;
    while !shutdown.is_cancelled() {
        let Err(lost) = tokio::select! {
            () = shutdown.cancelled() => return,
            lost = listen_once(&target, &database, pulse, &doorbell, &mut wait, &mut holds) => lost,
        };
        doorbell.held.send_replace(None);
        doorbell.rung.notify_one();
        let deaf = if let Lost::Deaf(deafness) = lost { Some(deafness) } else { None };
        let before = doorbell.hearing.send_replace(deaf.map_or(Hearing::Unknown, Hearing::Deaf));
        match lost {
            Lost::Deaf(deafness) if before != Hearing::Deaf(deafness) => warn!("{deafness}; polling instead"),
            lost if wait == BACK_OFF.0 && deaf.is_none() => {
                warn!(error = %lost, "the listening connection was lost; polling until it is back");
            }
            // Said before.
            lost => debug!(error = %lost, "the listening connection is not back yet"),
        }
        let jitter = 1.0 + fastrand::f64() / 2.0;
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = sleep(deaf.map_or(wait, |_| DEAF_RETRY).mul_f64(jitter)) => wait = (wait * 2).min(BACK_OFF.1),
        }
    }
}

async fn listen_once(
    target: &Target,
    database: &Database,
    pulse: Duration,
    doorbell: &Doorbell,
    wait: &mut Duration,
    holds: &mut Hold,
) -> Result<Infallible, Lost> {
    let silent = |_| Error::Silent(PATIENCE);
    if timeout(PATIENCE, pooler::is_pooled(target)).await.map_err(silent)?? {
        return Err(Deafness::Pooled.into());
    }
    let (client, mut connection) = timeout(PATIENCE, target.connect()).await.map_err(silent)??;
    // The connection has to be driven by hand: awaiting it would throw the notifications away.
    let mut messages = pin!(async {
        loop {
            match poll_fn(|context| connection.poll_message(context)).await {
                Some(Ok(AsyncMessage::Notification(notification))) => {
                    doorbell.heard.send_replace(Some(Instant::now()));
                    doorbell.metrics.listener_age_seconds.mark();
                    if notification.payload().is_empty() {
                        doorbell.rung.notify_one();
                    }
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Error::from(error),
                None => return Error::Closed,
            }
        }
    });
    let listening = async {
        client.batch_execute(include_str!("../../sql/queries/prepare_session.sql")).await?;
        client.batch_execute(include_str!("../../sql/queries/listen.sql")).await
    };
    tokio::select! {
        lost = &mut messages => return Err(lost.into()),
        listening = timeout(PATIENCE, listening) => listening.map_err(silent)??,
    }
    tokio::select! {
        lost = &mut messages => return Err(lost.into()),
        proven = prove(database, doorbell) => proven?,
    }
    if doorbell.hearing.send_replace(Hearing::Proven) != Hearing::Proven {
        info!("listening for notifications");
    }
    doorbell.metrics.listener_connects.inc();
    *wait = BACK_OFF.0;
    doorbell.rung.notify_one();
    tokio::select! {
        lost = &mut messages => Err(lost.into()),
        lost = keep_hearing(database, pulse, doorbell) => Err(lost),
        failed = keep_lock(&client, doorbell, holds) => Ok(failed?),
    }
}

/// Completes when a notification has arrived.
async fn prove(database: &Database, doorbell: &Doorbell) -> Result<(), Deafness> {
    loop {
        match send_pulse(database, doorbell).await {
            Ok(true) => return Ok(()),
            Ok(false) => return Err(Deafness::Elsewhere),
            Err(error) => debug!(%error, "nothing can be notified yet"),
        }
        sleep(BACK_OFF.1).await;
    }
}

/// Completes when notifications do not arrive any more.
async fn keep_hearing(database: &Database, pulse: Duration, doorbell: &Doorbell) -> Lost {
    loop {
        let silence = pulse.mul_f64(1.0 + fastrand::f64() / 5.0);
        let heard = *doorbell.heard.borrow();
        let due = heard.map_or_else(Instant::now, |heard| heard + silence);
        if due > Instant::now() {
            sleep_until(due).await;
            continue;
        }
        match send_pulse(database, doorbell).await {
            Ok(true) => {}
            Ok(false) => return Lost::HalfOpen,
            Err(error) => {
                debug!(%error, "nothing can be notified just now");
                sleep(BACK_OFF.1).await;
            }
        }
    }
}

/// Notifies the listeners as a writer would. Whether it was heard here; an error if it was not sent, which says nothing about that.
async fn send_pulse(database: &Database, doorbell: &Doorbell) -> Result<bool, Error> {
    let connection = database.connection().await?;
    // Whatever arrives from now on was not in a buffer before.
    let mut heard = doorbell.heard.subscribe();
    connection.execute(include_str!("../../sql/queries/pulse.sql"), &[]).await?;
    drop(connection);
    Ok(timeout(HEARING, heard.changed()).await.is_ok())
}

/// Takes and gives back the lock as the tailer wants it.
async fn keep_lock(client: &Client, doorbell: &Doorbell, holds: &mut Hold) -> Result<Infallible, Error> {
    let mut wanted = doorbell.wanted.subscribe();
    loop {
        let want = *wanted.borrow_and_update();
        if want && doorbell.holds_lock().is_none() {
            if ask(client, include_str!("../../sql/queries/hold_doorbell.sql")).await? {
                *holds += 1;
                doorbell.held.send_replace(Some(*holds));
            } else {
                sleep(LOCK_RETRY).await;
                wanted.mark_changed();
            }
        } else if !want && doorbell.holds_lock().is_some() {
            // Not held from here on: whoever looks while it is given back may find it free.
            doorbell.held.send_replace(None);
            ask(client, include_str!("../../sql/queries/release_doorbell.sql")).await?;
        }
        // The sender lives as long as the doorbell that is borrowed here.
        let _ = wanted.changed().await;
    }
}

/// Runs a statement that says yes or no, and takes no time.
async fn ask(client: &Client, sql: &str) -> Result<bool, Error> {
    let row = timeout(PATIENCE, client.query_one(sql, &[])).await.map_err(|_| Error::Silent(PATIENCE))??;
    Ok(row.try_get(0)?)
}

/// Whether writers ring at all.
///
/// # Errors
/// When the database fails.
pub async fn read_doorbell(connection: &Connection) -> Result<bool, Error> {
    let row = connection.query_one(include_str!("../../sql/queries/read_doorbell.sql"), &[]).await?;
    Ok(row.try_get("rings")?)
}
