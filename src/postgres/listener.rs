//! The doorbell, as the server hears it: one connection that LISTENs, and that holds the lock which makes writers ring.
//!
//! A notification is only a hint that there is something to read; what there is, the tailer asks the outbox. So each (re)connect counts as a
//! notification: some may have been missed meanwhile. The lock belongs to the same session as the LISTEN, so that nobody rings for a server that
//! cannot hear, and a server that dies leaves nothing behind.

use std::{convert::Infallible, future::poll_fn, pin::pin, sync::Arc, time::Duration};

use tokio::sync::{Notify, watch};
use tokio_postgres::{AsyncMessage, Client, Config, NoTls};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::{Connection, Error};
use crate::metrics::Metrics;

/// Waits between attempts to connect double from the first to the last of these, each with up to half of it at random on top,
/// so that many servers do not come back in step.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// A writer holds the doorbell's lock for an instant.
const LOCK_RETRY: Duration = Duration::from_millis(1);

/// Numbers the times that the lock was taken: one that was lost and taken again is not the same.
pub type Hold = u64;

/// What the tailer and the listener share.
#[derive(Debug, Default)]
pub struct Doorbell {
    rung: Notify,
    wanted: watch::Sender<bool>,
    held: watch::Sender<Option<Hold>>,
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
}

/// Listens until `shutdown`, over connections of its own.
pub async fn listen(config: Config, doorbell: Arc<Doorbell>, shutdown: CancellationToken) {
    let mut wait = BACK_OFF.0;
    let mut holds = 0;
    while !shutdown.is_cancelled() {
        let listening = tokio::select! {
            () = shutdown.cancelled() => return,
            ended = listen_once(&config, &doorbell, &mut wait, &mut holds) => ended,
        };
        doorbell.held.send_replace(None);
        doorbell.rung.notify_one();
        match listening {
            Err(error) if wait == BACK_OFF.0 => {
                warn!(%error, "the listening connection was lost; polling until it is back");
            }
            Err(error) => debug!(%error, "the listening connection is not back yet"),
            Ok(()) => {}
        }
        let jitter = wait.mul_f64(fastrand::f64() / 2.0);
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(wait + jitter) => wait = (wait * 2).min(BACK_OFF.1),
        }
    }
}

async fn listen_once(config: &Config, doorbell: &Doorbell, wait: &mut Duration, holds: &mut Hold) -> Result<(), Error> {
    let (client, mut connection) = config.connect(NoTls).await?;
    // The connection has to be driven by hand: awaiting it would throw the notifications away.
    let mut messages = pin!(async {
        loop {
            match poll_fn(|context| connection.poll_message(context)).await {
                Some(Ok(AsyncMessage::Notification(_))) => {
                    doorbell.metrics.listener_age_seconds.mark();
                    doorbell.rung.notify_one();
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(Error::from(error)),
                None => return Ok(()),
            }
        }
    });
    tokio::select! {
        ended = &mut messages => return ended,
        listening = client.batch_execute(include_str!("../../sql/queries/listen.sql")) => listening?,
    }
    info!("listening for notifications");
    doorbell.metrics.listener_connects.inc();
    doorbell.metrics.listener_age_seconds.mark();
    *wait = BACK_OFF.0;
    doorbell.rung.notify_one();
    tokio::select! {
        ended = &mut messages => ended,
        failed = keep_lock(&client, doorbell, holds) => failed.map(|never| match never {}),
    }
}

/// Takes and gives back the lock as the tailer wants it.
async fn keep_lock(client: &Client, doorbell: &Doorbell, holds: &mut Hold) -> Result<Infallible, Error> {
    let mut wanted = doorbell.wanted.subscribe();
    loop {
        let want = *wanted.borrow_and_update();
        if want && doorbell.holds_lock().is_none() {
            let row = client.query_one(include_str!("../../sql/queries/hold_doorbell.sql"), &[]).await?;
            if row.try_get(0)? {
                *holds += 1;
                doorbell.held.send_replace(Some(*holds));
            } else {
                tokio::time::sleep(LOCK_RETRY).await;
                wanted.mark_changed();
            }
        } else if !want && doorbell.holds_lock().is_some() {
            // Not held from here on: whoever looks while it is given back may find it free.
            doorbell.held.send_replace(None);
            client.query_one(include_str!("../../sql/queries/release_doorbell.sql"), &[]).await?;
        }
        // The sender lives as long as the doorbell that is borrowed here.
        let _ = wanted.changed().await;
    }
}

/// Whether writers ring at all.
///
/// # Errors
/// When the database fails.
pub async fn read_doorbell(connection: &Connection) -> Result<bool, Error> {
    let row = connection.query_one(include_str!("../../sql/queries/read_doorbell.sql"), &[]).await?;
    Ok(row.try_get("rings")?)
}
